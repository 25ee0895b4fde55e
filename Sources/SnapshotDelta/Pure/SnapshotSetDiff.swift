internal import CephCore

extension ExtentFinder {
    /// What changed in an object between a revision's two points, by its snapshot set.
    static func change(in set: ObjectSnapshotSet, _ revision: CopyRevision, _ objectSize: UInt64) -> ObjectChange {
        let start = set.index(serving: revision.base)
        guard let end = set.index(serving: revision.end) else { return .absent(existedAtStart: start != nil) }
        let newest = set.clones[end]
        guard let start else { return .whole(objectSize: objectSize) }
        let oldest = set.clones[start]
        var changed = RangeUnion()
        for clone in set.clones[start..<end] { changed.add(complementOf: clone.overlap, upTo: .max) }
        return ObjectChange(
            existedAtStart: true, existsAtEnd: true, sizeAtEnd: newest.size, sizeAtStart: oldest.size,
            ranges: changed.ranges(clippedTo: newest.size))
    }
}

extension ObjectSnapshotSet {
    static let headID: UInt64 = 0xffff_ffff_ffff_fffe

    /// Index of the revision that serves reads at a snapshot; nil where the object does not exist there.
    func index(serving snapshot: UInt64) -> Int? {
        if snapshot > sequence || snapshot == Self.headID {
            return clones.lastIndex { $0.id == Self.headID }
        }
        return clones.firstIndex { $0.id != Self.headID && $0.snapshots.contains(snapshot) }
    }
}

/// A growing union of ranges.
struct RangeUnion {
    private var parts: [Range<UInt64>] = []

    /// Adds everything that is not in `ranges`, which are ascending.
    mutating func add(complementOf ranges: [Range<UInt64>], upTo end: UInt64) {
        var position: UInt64 = 0
        for range in ranges {
            if range.lowerBound > position { parts.append(position..<range.lowerBound) }
            position = max(position, range.upperBound)
        }
        if position < end { parts.append(position..<end) }
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
