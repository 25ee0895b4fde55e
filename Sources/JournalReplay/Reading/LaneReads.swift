internal import CephCore

/// What is being read of a journal's lanes; ends with whoever asked for it.
final class LaneReads {
    private struct Lane {
        var reader: LaneReader
        var work: Task<LaneReader.Batch, any Error>?
        /// When the last read began, and the newest tag that there was then.
        var began = ContinuousClock.now
        var newestTag: UInt64 = 0
    }

    private var lanes: [Lane]

    init(_ readers: [LaneReader]) { lanes = readers.map { Lane(reader: $0) } }
    deinit { for lane in lanes { lane.work?.cancel() } }

    /// Begins to read on, unless that is going on.
    ///
    /// - Parameter header: As it was read before: an object of a set that was not the active one then does not grow any more.
    func begin(_ lane: Int, knowing header: JournalHeader) {
        guard lanes[lane].work == nil else { return }
        lanes[lane].began = .now
        lanes[lane].newestTag = header.nextTag == 0 ? 0 : header.nextTag - 1
        lanes[lane].work = Task { [reader = lanes[lane].reader, activeSet = header.activeSet] in
            try await reader.next(activeSet: activeSet)
        }
    }

    /// What was read; it must have begun.
    func take(_ lane: Int) async throws -> LaneReader.Batch {
        let task = lanes[lane].work!
        let batch = try await withTaskCancellationHandler { try await task.value } onCancel: { task.cancel() }
        lanes[lane].work = nil
        lanes[lane].reader = batch.lane
        return batch
    }

    func began(_ lane: Int) -> ContinuousClock.Instant { lanes[lane].began }
    func newestTag(whenReading lane: Int) -> UInt64 { lanes[lane].newestTag }

    /// Says where entries would be that were committed and are missing.
    func loss(of entry: UInt64, to last: UInt64, _ tag: UInt64, _ journal: Journal) -> JournalDamage {
        let reader = lanes[Int(journal.geometry.lane(ofEntry: entry))].reader
        return JournalDamage(
            .lostEnd, object: journal.dataObject(reader.object), offset: reader.offset,
            detail: "tag \(tag) ends before entry \(entry), and entry \(last) was committed")
    }
}
