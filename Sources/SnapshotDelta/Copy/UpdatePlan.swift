internal import CephCore

/// The one write operation that gives a target object what was read.
struct UpdatePlan {
    private(set) var update = ObjectUpdate()
    private(set) var bytesWritten = 0

    init(change: ObjectChange, data: ObjectData, objectSize: UInt64) {
        if change.existedAtStart {
            patch(change, data)
        } else {
            replace(change, data, objectSize)
        }
    }

    /// Writes over a base that both sides share.
    private mutating func patch(_ change: ObjectChange, _ data: ObjectData) {
        var end: UInt64 = 0
        for (index, range) in data.ranges.enumerated() {
            data.withPiece(index) { piece in
                var zeroFrom = 0
                for run in ZeroRuns.nonZeroRuns(in: piece) {
                    zero(zeroFrom..<run.lowerBound, of: range)
                    update.write(data, piece: index, run, at: range.lowerBound + UInt64(run.lowerBound))
                    bytesWritten += run.count
                    end = max(end, range.lowerBound + UInt64(run.upperBound))
                    zeroFrom = run.upperBound
                }
                zero(zeroFrom..<piece.count, of: range)
            }
        }
        let size = change.sizeAtEnd ?? end
        // Writes let the object grow to `end`; only a truncation makes it shorter.
        if size != max(change.sizeAtStart, end) || update.isEmpty { update.truncate(to: size) }
    }

    private mutating func zero(_ part: Range<Int>, of range: Range<UInt64>) {
        guard !part.isEmpty else { return }
        update.zero(range.lowerBound + UInt64(part.lowerBound)..<range.lowerBound + UInt64(part.upperBound))
    }

    /// Gives the object exactly this content, whatever is there.
    private mutating func replace(_ change: ObjectChange, _ data: ObjectData, _ objectSize: UInt64) {
        update.setAllocationHint(objectSize: objectSize, writeSize: objectSize)
        update.ensureExists()
        update.truncate(to: 0)
        var size: UInt64 = 0
        var end: UInt64 = 0
        for (index, range) in data.ranges.enumerated() {
            data.withPiece(index) { piece in
                size = max(size, range.lowerBound + UInt64(piece.count))
                for run in ZeroRuns.nonZeroRuns(in: piece) {
                    update.write(data, piece: index, run, at: range.lowerBound + UInt64(run.lowerBound))
                    bytesWritten += run.count
                    end = max(end, range.lowerBound + UInt64(run.upperBound))
                }
            }
        }
        if size != end { update.truncate(to: size) }
    }
}
