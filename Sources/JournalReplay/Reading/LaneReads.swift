internal import CephCore

/// What is being read of a journal's lanes; ends with whoever asked for it.
final class LaneReads {
    private var readers: [LaneReader]
    private var work: [Int: Task<LaneReader.Batch, any Error>] = [:]

    init(_ readers: [LaneReader]) { self.readers = readers }
    deinit { for task in work.values { task.cancel() } }

    /// Begins to read on, unless that is going on.
    func begin(_ lane: Int, activeSet: UInt64) {
        guard work[lane] == nil else { return }
        work[lane] = Task { [reader = readers[lane]] in try await reader.next(activeSet: activeSet) }
    }

    /// What was read; it must have begun.
    func take(_ lane: Int) async throws -> LaneReader.Batch {
        let task = work[lane]!
        let batch = try await withTaskCancellationHandler { try await task.value } onCancel: { task.cancel() }
        work[lane] = nil
        readers[lane] = batch.lane
        return batch
    }

    /// Says where entries would be that were committed and are missing.
    func loss(of entry: UInt64, to last: UInt64, _ tag: UInt64, _ journal: Journal) -> JournalDamage {
        let reader = readers[Int(journal.geometry.lane(ofEntry: entry))]
        return JournalDamage(
            .lostEnd, object: journal.dataObject(reader.object), offset: reader.offset,
            detail: "tag \(tag) ends before entry \(entry), and entry \(last) was committed")
    }
}
