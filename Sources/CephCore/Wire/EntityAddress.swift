/// The address of one client or daemon, as `ip:port/nonce`.
public struct EntityAddress: Hashable, Sendable, CustomStringConvertible, WireDecodable {
    /// IPv4 or IPv6 address bytes; empty for none.
    public var address: [UInt8]
    public var port: UInt16
    public var nonce: UInt32

    public var description: String {
        switch address.count {
        case 4: "\(address.map(String.init).joined(separator: ".")):\(port)/\(nonce)"
        case 16: "[\(groups)]:\(port)/\(nonce)"
        default: "-"
        }
    }

    private var groups: String {
        stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }

    /// Reads the marked form (1) and the legacy one (0).
    public init(from decoder: inout Decoder) throws(WireError) {
        let marker = try decoder.u8()
        guard marker <= 1 else { throw decoder.failure(.incompatible) }
        if marker == 0 {
            // Legacy: the rest of a u32 type, nonce, then a whole sockaddr_storage with a big-endian family.
            _ = try decoder.raw(3)
            nonce = try decoder.u32()
            (address, port) = Self.socket(Array(try decoder.raw(128)), bigEndianFamily: true)
            return
        }
        (nonce, address, port) = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            _ = try d.u32()
            let nonce = try d.u32()
            let bytes = try d.blob()
            let (address, port) = Self.socket(bytes, bigEndianFamily: false)
            return (nonce, address, port)
        }
    }

    private static func socket(_ bytes: [UInt8], bigEndianFamily: Bool) -> ([UInt8], UInt16) {
        guard bytes.count >= 8 else { return ([], 0) }
        let family = bigEndianFamily ? UInt16(bytes[0]) << 8 | UInt16(bytes[1]) : UInt16(bytes[1]) << 8 | UInt16(bytes[0])
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        switch family {
        case 2: return (Array(bytes[4..<8]), port)
        case 10 where bytes.count >= 24: return (Array(bytes[8..<24]), port)
        default: return ([], 0)
        }
    }
}
