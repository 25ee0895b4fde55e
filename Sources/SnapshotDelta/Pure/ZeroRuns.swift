internal import Glibc

/// Finds what of a buffer is worth sending.
enum ZeroRuns {
    /// Smallest run of zeroes that is left out, in bytes.
    static let granularity = 4096

    /// The ranges that hold anything but zeroes, ascending, in whole blocks.
    static func nonZeroRuns(in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start: Int?
        for offset in stride(from: 0, to: bytes.count, by: granularity) {
            let end = min(offset + granularity, bytes.count)
            if isZero(UnsafeRawBufferPointer(rebasing: bytes[offset..<end])) {
                if let first = start { runs.append(first..<offset) }
                start = nil
            } else if start == nil {
                start = offset
            }
        }
        if let first = start { runs.append(first..<bytes.count) }
        return runs
    }

    /// Whether all bytes are 0: the first few are, and each is like the one 16 before it.
    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 16, let start = bytes.baseAddress else { return bytes.allSatisfy { $0 == 0 } }
        guard start.loadUnaligned(as: UInt64.self) | (start + 8).loadUnaligned(as: UInt64.self) == 0 else { return false }
        return memcmp(start, start + 16, bytes.count - 16) == 0
    }
}
