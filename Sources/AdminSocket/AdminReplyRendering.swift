internal import Glibc

/// The format a caller asked for.
enum ReplyFormat: Sendable, Hashable {
    case compact
    case pretty

    /// Nil for the formats of Ceph that are not served; a name Ceph does not know means the default.
    init?(name: String) {
        switch name {
        case "json": self = .compact
        case _ where ["xml", "table", "html"].contains { name.hasPrefix($0) }: return nil
        default: self = .pretty
        }
    }
}

extension AdminReply {
    /// The reply's bytes behind their length, as they go over the wire.
    func frame(_ format: ReplyFormat) -> [UInt8] {
        let payload = Array(text(format).utf8)
        let length = UInt32(clamping: payload.count)
        return withUnsafeBytes(of: length.bigEndian) { Array($0) } + payload
    }

    func text(_ format: ReplyFormat) -> String {
        switch body {
        case .json(let value): value.rendered(format == .compact ? .compact : .pretty)
        case .text(let text): text
        case .failure(let code, let message): "ERROR: (\(code)) \(String(cString: strerror(code)))\n\(message)\n"
        }
    }
}
