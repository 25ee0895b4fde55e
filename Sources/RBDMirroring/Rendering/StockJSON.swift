internal import Glibc

/// JSON as stock daemons print it: compact, in the order given.
enum StockJSON {
    case text(String)
    case count(UInt64)
    case flag(Bool)
    case real(Double)
    /// Members in this order.
    case object([(key: String, value: StockJSON)])

    /// An object with its keys in byte order, without the absent ones.
    static func sorted(_ members: [String: StockJSON?]) -> StockJSON {
        .object(members.compactMap { key, value in value.map { (key, $0) } }.sorted { Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8)) })
    }

    var string: String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .count(let count): "\(count)"
        case .flag(let flag): flag ? "true" : "false"
        case .real(let value): Self.trimmed(value)
        case .object(let members): "{" + members.map { "\(Self.quoted($0.key)):\($0.value.string)" }.joined(separator: ",") + "}"
        }
    }

    /// A real number with 16 digits, its trailing zeros gone but for one after the point.
    ///
    /// JSON has no word for what is no number: it becomes zero.
    static func trimmed(_ value: Double) -> String {
        guard value.isFinite else { return "0.0" }
        var buffer = [CChar](repeating: 0, count: 64)
        let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%#.16g", $0) }
        let text = buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }
        let exponent = text.firstIndex(of: UInt8(ascii: "e")) ?? text.endIndex
        var mantissa = text[..<exponent]
        while mantissa.last == UInt8(ascii: "0") { mantissa.removeLast() }
        if mantissa.last == UInt8(ascii: ".") { mantissa.append(UInt8(ascii: "0")) }
        return String(decoding: mantissa + text[exponent...], as: UTF8.self)
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Rounds to two places, as stock does with its rates.
func roundedToTwoPlaces(_ value: Double) -> Double {
    value.isFinite ? abs((value * 100).rounded(.toNearestOrAwayFromZero) / 100) : 0
}

/// Seconds until so many bytes are moved; nil where stock would print nonsense.
func secondsLeft(bytes: Double, bytesPerSecond: Double) -> UInt64? {
    guard bytes >= 0, bytesPerSecond > 0 else { return nil }
    let seconds = (bytes / bytesPerSecond).rounded(.down)
    return seconds < 1e12 ? UInt64(seconds) : nil
}
