/// A checksum that OSDs compute over chunks of an object.
public struct ChunkChecksum: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Too short to compare much data with: collisions are to be expected at scale.
    public static let xxhash32 = ChunkChecksum(rawValue: 0)
    /// The one to compare data with: use a random seed per run.
    public static let xxhash64 = ChunkChecksum(rawValue: 1)
    public static let crc32c = ChunkChecksum(rawValue: 2)

    /// Bytes of one digest and of the seed.
    var width: Int { self == .xxhash64 ? 8 : 4 }

    func seedBytes(_ seed: UInt64) -> [UInt8] {
        Array(Encoder.encode { $0.u64(seed) }.prefix(width))
    }

    func decodeDigests(_ bytes: [UInt8]) throws(WireError) -> [UInt64] {
        var decoder = Decoder(bytes)
        let width = width
        return try decoder.list(elementsOfAtLeast: width) { (decoder) throws(WireError) in
            width == 8 ? try decoder.u64() : UInt64(try decoder.u32())
        }
    }
}
