/// Finds the end of a request in what a client has sent so far.
///
/// A request ends with a NUL or a line feed. One that begins with a NUL is the four-byte form of very old
/// clients, whose last byte is a code: 0 asks for the protocol's version.
struct RequestFrame {
    enum Progress: Hashable {
        case incomplete
        case complete([UInt8])
        case tooLong
    }

    let limit: Int
    private var bytes: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: some Collection<UInt8>) -> Progress {
        let searched = bytes.count
        bytes.append(contentsOf: more)
        if bytes.first == 0 { return legacy() }
        if let end = bytes[searched...].firstIndex(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) {
            return end > limit ? .tooLong : .complete(Array(bytes[..<end]))
        }
        return bytes.count > limit ? .tooLong : .incomplete
    }

    private func legacy() -> Progress {
        guard bytes.count >= 4 else { return .incomplete }
        return .complete(Array((bytes[3] == 0 ? "0" : "unknown code \(bytes[3])").utf8))
    }
}
