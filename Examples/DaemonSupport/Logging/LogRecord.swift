internal import AdminSocket
internal import Glibc
internal import Logging

/// One fact of the log, and the two ways it is written.
struct LogRecord: Sendable {
    var time: WallTime
    var level: Logger.Level
    var label: String
    var message: String
    var metadata: Logger.Metadata

    func line(json: Bool) -> String { (json ? jsonLine : textLine) + "\n" }

    private var textLine: String {
        var line = "\(time) \(level) \(label): \(message.onOneLine)"
        for (key, value) in visibleMetadata { line += " \(key.onOneLine)=\(value.plain.quotedWhereNeeded)" }
        return line
    }

    private var jsonLine: String {
        var members: [JSONValue.Member] = [
            .init("time", .string("\(time)")), .init("level", .string("\(level)")),
            .init("label", .string(label)), .init("message", .string(message)),
        ]
        let metadata = visibleMetadata.map { JSONValue.Member($0.key, $0.value.json) }
        if !metadata.isEmpty { members.append(.init("metadata", .object(metadata))) }
        return JSONValue.object(members).rendered()
    }

    private var visibleMetadata: [(key: String, value: Logger.MetadataValue)] { visible(metadata) }
}

/// Sorted, and with what is secret replaced.
private func visible(_ metadata: Logger.Metadata) -> [(key: String, value: Logger.MetadataValue)] {
    metadata.sorted { $0.key < $1.key }.map { ($0.key, SecretWords.names($0.key) ? "***" : $0.value) }
}

/// Which keys may not be shown: those whose last word says so, as in `peer.key` or `auth-token`.
enum SecretWords {
    private static let words: Set<String> = ["key", "secret", "token", "password", "passphrase"]

    static func names(_ key: String) -> Bool {
        let last = key.lowercased().split { !$0.isLetter }.last ?? ""
        return words.contains(String(last))
    }
}

extension Logger.MetadataValue {
    fileprivate var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(\.json))
        case .dictionary(let metadata): .object(visible(metadata).map { .init($0.key, $0.value.json) })
        }
    }

    fileprivate var plain: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array, .dictionary: json.rendered()
        }
    }
}

extension String {
    /// Line breaks and other control characters as escapes, so that nothing forged looks like a line of its own.
    fileprivate var onOneLine: String {
        if utf8.allSatisfy({ 0x20..<0x7f ~= $0 }) { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.breaksLine { text += scalar.escaped(asASCII: true) } else { text.unicodeScalars.append(scalar) }
        }
    }

    fileprivate var quotedWhereNeeded: String {
        let isPlain = !isEmpty && unicodeScalars.allSatisfy { !$0.breaksLine && !needingQuotes.contains($0) }
        return isPlain ? self : JSONValue.string(self).rendered().onOneLine
    }
}

private let needingQuotes: [Unicode.Scalar] = [" ", "\"", "=", "\\"]

extension Unicode.Scalar {
    /// Whether it is a control character or one of Unicode's line separators.
    fileprivate var breaksLine: Bool {
        value < 0x20 || 0x7f...0x9f ~= value || value == 0x2028 || value == 0x2029
    }
}

/// A moment as `2026-01-31T23:59:59.123Z`.
struct WallTime: Sendable, CustomStringConvertible {
    var seconds: Int
    var milliseconds: Int

    init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    var description: String {
        var (second, parts) = (time_t(seconds), tm())
        gmtime_r(&second, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let time = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec)).\(padded(milliseconds, 3))"
        return "\(date)T\(time)Z"
    }
}
