public import CephCore

extension ObjectMap: WireDecodable {
    /// Bytes one checksum covers.
    private static let block = 4096

    /// The map as an object-map object holds it: with checksums.
    public var encoded: [UInt8] {
        let header = Encoder.encode { $0.frame(version: 1, compat: 1) { $0.u64(UInt64(count)) } }
        let sums = Self.checksums(bytes)
        return Encoder.encode {
            $0.blob(header)
            $0.raw(bytes)
            $0.u32(UInt32(4 + 4 + 4 * sums.count))
            $0.u32(CRC32C.checksum(header))
            $0.list(sums) { $0.u32($1) }
        }
    }

    /// Reads a map, with or without checksums; those that are there must be right.
    public init(from decoder: inout Decoder) throws(WireError) {
        let start = decoder.offset
        let header = try decoder.blob()
        let entries = try Decoder.decode(header, as: "object map header") { (d) throws(WireError) in
            try d.frame(supported: 1) { (d, _) throws(WireError) in try d.u64() }
        }
        guard entries <= UInt64(Self.maximumCount) else { throw WireError(.invalidValue, at: start + 10, in: "object map") }
        let count = Int(entries)
        let first = decoder.offset
        let packed = Array(try decoder.raw((count + 3) / 4))
        if !decoder.isAtEnd { try Self.verify(header, packed, startingAt: first, &decoder) }
        self.init(count: count, packed: packed)
    }

    /// Checks the footer; the unused bits of the last byte count as they are stored.
    private static func verify(
        _ header: [UInt8], _ packed: [UInt8], startingAt first: Int, _ decoder: inout Decoder
    ) throws(WireError) {
        let length = try decoder.count()
        guard length > 0 else { return }
        guard length == decoder.remaining else { throw decoder.failure(.invalidValue) }
        guard try decoder.u32() == CRC32C.checksum(header) else { throw WireError(.checksum, at: 4, in: "object map header") }
        let stored = try decoder.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.u32() }
        let actual = checksums(packed)
        guard stored.count == actual.count else { throw decoder.failure(.invalidValue) }
        for (index, sum) in actual.enumerated() where stored[index] != sum {
            throw WireError(.checksum, at: first + index * block, in: "object map")
        }
    }

    private static func checksums(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: block).map { CRC32C.checksum(bytes[$0..<min($0 + block, bytes.count)]) }
    }
}
