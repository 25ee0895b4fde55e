internal import CCeph

/// Ceph's CRC-32C: the caller's start value, no final inversion.
///
/// Parts are chained by giving the last result as the next seed. Runs on the processor's own
/// instruction where there is one.
public enum CRC32C {
    /// Continues a checksum over bytes.
    public static func checksum(_ bytes: some Collection<UInt8>, seed: UInt32 = 0) -> UInt32 {
        if let value = bytes.withContiguousStorageIfAvailable({ checksum(UnsafeRawBufferPointer($0), seed: seed) }) {
            return value
        }
        return Array(bytes).withUnsafeBytes { checksum($0, seed: seed) }
    }

    /// Continues a checksum over memory; an empty one gives the seed.
    public static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return seed }
        return cceph_crc32c(seed, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// Continues a checksum over a span.
    public static func checksum(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, seed: seed) }
    }
}
