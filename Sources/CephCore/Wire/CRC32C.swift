internal import CCeph

/// Ceph's CRC-32C: the caller's start value, no final inversion.
public enum CRC32C {
    /// Continues a checksum over bytes; runs on the processor's own instruction where there is one.
    public static func checksum(_ bytes: some Collection<UInt8>, seed: UInt32 = 0) -> UInt32 {
        if let value = bytes.withContiguousStorageIfAvailable({ cceph_crc32c(seed, $0.baseAddress, $0.count) }) {
            return value
        }
        return Array(bytes).withUnsafeBufferPointer { cceph_crc32c(seed, $0.baseAddress, $0.count) }
    }
}
