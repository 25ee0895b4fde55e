internal import RBDImage

/// Says which extents of an image an object's change is, at two points and with a parent behind them.
///
/// Where an image has no object its parent shows, as far as the overlap of that point goes; else there are zeroes.
struct DeltaView: Sendable {
    let layout: ImageLayout
    /// Bytes of the image at the newer point: nothing beyond counts.
    let size: UInt64
    /// Bytes of the parent that show at the older point; 0 from the beginning of time.
    let startOverlap: UInt64
    /// Bytes of the parent that show at the newer point and are not told of by the parent's own delta.
    let endOverlap: UInt64

    typealias Extent = SnapshotDelta.Extent

    /// The extents of one object, in object order.
    func extents(of change: ObjectChange, object number: UInt64) -> [Extent] {
        let whole = 0..<layout.objectSize
        guard change.existsAtEnd else { return absence(change, number) }
        guard change.existedAtStart else {
            let end = change.sizeAtEnd ?? layout.objectSize
            // What the parent showed beyond a short object is zeroes now.
            return map(0..<end, number, isHole: false) + map(end..<whole.upperBound, number, isHole: true, below: startOverlap)
        }
        let end = change.sizeAtEnd ?? layout.objectSize
        let data = change.ranges.flatMap { map($0.clamped(to: 0..<end), number, isHole: false) }
        return data + (end < change.sizeAtStart ? map(end..<change.sizeAtStart, number, isHole: true) : [])
    }

    /// Where an image has no object at the newer point.
    func imageRanges(of number: UInt64) -> [Range<UInt64>] {
        layout.imageExtents(of: number, 0..<layout.objectSize).compactMap { clip($0, 0..<size) }
    }

    /// The extents of an object that is not there at the newer point.
    private func absence(_ change: ObjectChange, _ number: UInt64) -> [Extent] {
        let whole = 0..<layout.objectSize
        guard change.existedAtStart else {
            // The parent showed at both, unless it shows less or more of itself now.
            return map(whole, number, isHole: true, from: endOverlap, below: startOverlap)
                + map(whole, number, isHole: false, from: startOverlap, below: endOverlap)
        }
        return map(whole, number, isHole: false, below: endOverlap)
            + map(0..<min(change.sizeAtStart, layout.objectSize), number, isHole: true, from: endOverlap)
    }

    /// The parts of the image that a range of an object is, between two image offsets.
    private func map(
        _ range: Range<UInt64>, _ number: UInt64, isHole: Bool, from lower: UInt64 = 0, below upper: UInt64 = .max
    ) -> [Extent] {
        guard lower < upper, lower < size else { return [] }
        return layout.imageExtents(of: number, range).compactMap { part in
            clip(part, lower..<min(upper, size)).map { Extent(range: $0, isHole: isHole) }
        }
    }

    private func clip(_ range: Range<UInt64>, _ limits: Range<UInt64>) -> Range<UInt64>? {
        let part = range.clamped(to: limits)
        return part.isEmpty ? nil : part
    }
}

extension [SnapshotDelta.Extent] {
    /// The same in ascending order; neighbours of one kind become one.
    func inOrder() -> [SnapshotDelta.Extent] {
        var ordered: [SnapshotDelta.Extent] = []
        for extent in sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = ordered.last, last.range.upperBound == extent.range.lowerBound, last.isHole == extent.isHole {
                ordered[ordered.count - 1] = .init(range: last.range.lowerBound..<extent.range.upperBound, isHole: last.isHole)
            } else {
                ordered.append(extent)
            }
        }
        return ordered
    }
}
