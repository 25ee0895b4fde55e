internal import CephCore

/// What is being read of a journal's lanes; ends with whoever asked for it.
final class LaneReads {
    private struct Lane {
        var reader: LaneReader
        var work: Task<LaneReader.Batch, any Error>?
        /// When the last read began, and what the header said then.
        var began = ContinuousClock.now
        var header: JournalHeader?
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
        lanes[lane].header = header
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
    /// As it was when the last read of the lane began.
    func header(whenReading lane: Int) -> JournalHeader? { lanes[lane].header }

    /// Says where entries would be that were committed and are missing.
    func loss(of entry: UInt64, to last: UInt64, _ tag: UInt64, _ journal: Journal) -> JournalDamage {
        let reader = lanes[Int(journal.geometry.lane(ofEntry: entry))].reader
        return JournalDamage(
            .lostEnd, object: journal.dataObject(reader.object), offset: reader.offset,
            detail: "tag \(tag) ends before entry \(entry), and entry \(last) was committed")
    }
}
