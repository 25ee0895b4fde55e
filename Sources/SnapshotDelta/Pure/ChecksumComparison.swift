/// Finds the ranges where two lists of chunk digests differ.
enum ChecksumComparison {
    /// - Parameter size: Bytes covered; the last range ends there.
    static func differingRanges(_ first: [UInt64], _ second: [UInt64], chunk: Int, size: UInt64) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        for index in 0..<max(first.count, second.count)
        where index >= first.count || index >= second.count || first[index] != second[index] {
            let start = UInt64(index * chunk)
            let end = min(start + UInt64(chunk), size)
            guard start < end else { continue }
            if let last = ranges.last, last.upperBound == start {
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(start..<end)
            }
        }
        return ranges
    }
}
