internal import CephCore

/// The one write operation that gives a target object what was read.
struct UpdatePlan {
    private(set) var update = ObjectUpdate()
    private(set) var bytesWritten = 0

    /// - Parameter baseIsExact: The target object equals the source's at the base; else it may be anything between there
    ///   and now, of any size or missing, that has the base's bytes outside the changed ranges.
    ///   - mustExist: Nothing is to be done to a target object that is missing.
    init(change: ObjectChange, data: ObjectData, objectSize: UInt64, baseIsExact: Bool = true, mustExist: Bool = false) {
        if change.existedAtStart {
            if mustExist { update.assertExists() }
            patch(change, data, baseIsExact, mustExist)
        } else {
            replace(change, data, objectSize)
        }
    }

    /// Writes over a base that both sides share.
    private mutating func patch(_ change: ObjectChange, _ data: ObjectData, _ baseIsExact: Bool, _ mustExist: Bool) {
        if !baseIsExact, !mustExist { update.ensureExists() }
        /// The target object's size after the steps so far.
        var reached = change.sizeAtStart
        var end: UInt64 = 0
        for (index, range) in data.ranges.enumerated() {
            data.withPiece(index) { piece in
                var zeroFrom = 0
                for run in ZeroRuns.nonZeroRuns(in: piece) {
                    zero(zeroFrom..<run.lowerBound, of: range, &reached)
                    update.write(data, piece: index, run, at: range.lowerBound + UInt64(run.lowerBound))
                    bytesWritten += run.count
                    end = range.lowerBound + UInt64(run.upperBound)
                    reached = max(reached, end)
                    zeroFrom = run.upperBound
                }
                zero(zeroFrom..<piece.count, of: range, &reached)
            }
        }
        let size = change.sizeAtEnd ?? end
        if !baseIsExact || size != reached || update.isEmpty || mustExist && bytesWritten == 0 { update.truncate(to: size) }
    }

    /// Zeroes to the object's end and beyond are a truncation to an OSD.
    private mutating func zero(_ part: Range<Int>, of range: Range<UInt64>, _ reached: inout UInt64) {
        guard !part.isEmpty else { return }
        let zeroed = range.lowerBound + UInt64(part.lowerBound)..<range.lowerBound + UInt64(part.upperBound)
        update.zero(zeroed)
        if zeroed.upperBound >= reached { reached = min(reached, zeroed.lowerBound) }
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
