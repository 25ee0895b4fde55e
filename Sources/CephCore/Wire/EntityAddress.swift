internal import Glibc

/// The address of one client or daemon, as `ip:port/nonce`.
public struct EntityAddress: Hashable, Sendable, CustomStringConvertible, WireDecodable {
    /// IPv4 or IPv6 address bytes; empty for none.
    public var address: [UInt8]
    public var port: UInt16
    /// Tells clients of one address apart.
    public var nonce: UInt32

    public init(address: [UInt8], port: UInt16, nonce: UInt32) {
        self.address = address
        self.port = port
        self.nonce = nonce
    }

    /// As Ceph writes it without a protocol prefix, and as the blocklist takes it.
    public var description: String {
        switch address.count {
        case 4: "\(text(AF_INET)):\(port)/\(nonce)"
        case 16: "[\(text(AF_INET6))]:\(port)/\(nonce)"
        default: "-"
        }
    }

    private func text(_ family: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            _ = inet_ntop(family, address, buffer.baseAddress!, socklen_t(buffer.count))
            return String(cString: buffer.baseAddress!)
        }
    }

    /// Reads one address, or of a list (marker 2) the one that a blocklist entry names: the legacy one, else the first.
    public init(from decoder: inout Decoder) throws(WireError) {
        guard try decoder.peekByte() == 2 else {
            self = try Self.single(&decoder).address
            return
        }
        _ = try decoder.u8()
        let all = try decoder.list(elementsOfAtLeast: 7) { (d) throws(WireError) in try Self.single(&d) }
        self = all.first { $0.kind == 1 }?.address ?? all.first?.address ?? Self(address: [], port: 0, nonce: 0)
    }

    /// Reads the marked form (1) or the legacy one (0).
    private static func single(_ decoder: inout Decoder) throws(WireError) -> (kind: UInt32, address: EntityAddress) {
        let start = decoder
        let marker = try decoder.u8()
        guard marker <= 1 else { throw start.failure(.incompatible) }
        if marker == 0 {
            // Legacy: the rest of a u32 type, nonce, then a whole sockaddr_storage with a big-endian family.
            _ = try decoder.raw(3)
            let nonce = try decoder.u32()
            let (address, port) = socket(try decoder.raw(128), bigEndianFamily: true)
            return (1, Self(address: address, port: port, nonce: nonce))
        }
        return try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            let kind = try d.u32()
            let nonce = try d.u32()
            let length = try d.count()
            let (address, port) = socket(try d.raw(length), bigEndianFamily: false)
            return (kind, Self(address: address, port: port, nonce: nonce))
        }
    }

    private static func socket(_ bytes: ArraySlice<UInt8>, bigEndianFamily: Bool) -> ([UInt8], UInt16) {
        let start = bytes.startIndex
        guard bytes.count >= 8 else { return ([], 0) }
        let (low, high) = bigEndianFamily ? (bytes[start + 1], bytes[start]) : (bytes[start], bytes[start + 1])
        let port = UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
        switch UInt16(high) << 8 | UInt16(low) {
        case 2: return (Array(bytes[start + 4..<start + 8]), port)
        case 10 where bytes.count >= 24: return (Array(bytes[start + 8..<start + 24]), port)
        default: return ([], 0)
        }
    }
}

/// A client or daemon and where it is.
public struct EntityInstance: Hashable, Sendable, WireDecodable {
    /// 1 monitor, 2 MDS, 4 OSD, 8 client, 16 manager.
    public var kind: UInt8
    /// A client's global id.
    public var number: UInt64
    public var address: EntityAddress

    public init(from decoder: inout Decoder) throws(WireError) {
        kind = try decoder.u8()
        number = try decoder.u64()
        address = try EntityAddress(from: &decoder)
    }
}
