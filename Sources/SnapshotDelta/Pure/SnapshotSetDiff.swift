internal import CephCore

extension ObjectSnapshotSet {
    /// How the object differs between two snapshots; 0 is the beginning of time, `ObjectClone.headID` the object as it is.
    func change(from base: UInt64, to end: UInt64, objectSize: UInt64) -> ObjectChange {
        let oldest = index(serving: base)
        guard let newest = index(serving: end) else {
            return oldest.map { .gone(sizeAtStart: clones[$0].size) } ?? .neverThere
        }
        guard let oldest, oldest <= newest else { return .whole(objectSize: objectSize, sizeAtEnd: clones[newest].size) }
        var changed = RangeUnion()
        for index in oldest..<newest {
            // A range beyond either end cannot be shared.
            let shared = min(clones[index].size, clones[index + 1].size)
            changed.add(complementOf: clones[index].overlap, within: shared)
        }
        return ObjectChange(
            existedAtStart: true, existsAtEnd: true, sizeAtEnd: clones[newest].size, sizeAtStart: clones[oldest].size,
            ranges: changed.ranges(clippedTo: clones[newest].size))
    }
}

/// A growing union of ranges.
struct RangeUnion {
    private var parts: [Range<UInt64>] = []

    /// Adds everything that is not in `ranges`, which are ascending, or not below `limit`.
    mutating func add(complementOf ranges: [Range<UInt64>], within limit: UInt64) {
        var position: UInt64 = 0
        for range in ranges where range.lowerBound < limit {
            if range.lowerBound > position { parts.append(position..<range.lowerBound) }
            position = max(position, min(range.upperBound, limit))
        }
        parts.append(position..<UInt64.max)
    }

    /// The union, ascending, within `0..<size`.
    func ranges(clippedTo size: UInt64) -> [Range<UInt64>] {
        var merged: [Range<UInt64>] = []
        for part in parts.map({ $0.clamped(to: 0..<size) }).sorted(by: { $0.lowerBound < $1.lowerBound }) where !part.isEmpty {
            if let last = merged.last, last.upperBound >= part.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, part.upperBound)
            } else {
                merged.append(part)
            }
        }
        return merged
    }
}
