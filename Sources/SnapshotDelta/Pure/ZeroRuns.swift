/// Finds what of a buffer is worth sending.
enum ZeroRuns {
    /// Smallest run of zeroes that is left out, in bytes.
    static let granularity = 4096

    /// The ranges that hold anything but zeroes, ascending, in whole blocks.
    static func nonZeroRuns(in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + granularity, bytes.count)
            if !isZero(UnsafeRawBufferPointer(rebasing: bytes[offset..<end])) {
                if let last = runs.last, last.upperBound == offset {
                    runs[runs.count - 1] = last.lowerBound..<end
                } else {
                    runs.append(offset..<end)
                }
            }
            offset = end
        }
        return runs
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        let words = bytes.count & ~63
        while offset < words {
            let block = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
            if block != SIMD8<UInt64>(repeating: 0) { return false }
            offset += 64
        }
        while offset < bytes.count {
            if bytes[offset] != 0 { return false }
            offset += 1
        }
        return true
    }
}
