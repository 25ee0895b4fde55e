extension Journal {
    /// How far one has come who has the image as it was at a snapshot: everything before the snapshot was made, and that.
    ///
    /// An operation that had begun by then and not ended counts as not applied.
    /// - Parameter committed: Where to look from.
    /// - Returns: Nil when the snapshot's making is not in what is there of the journal.
    /// - Throws: ``JournalDamage``; `CephError`; `CancellationError`.
    public func position(ofSnapshot name: String, after committed: JournalCommitPosition) async throws -> JournalCommitPosition? {
        var search = SnapshotSearch(name, ReplayLedger(after: committed, splayWidth: geometry.width))
        for try await entry in entries(after: committed) where search.isEnd(entry.position, entry.event) { return search.committed }
        return nil
    }
}

/// Looks for the making of a snapshot, and keeps count of what had been done with by then. Pure.
struct SnapshotSearch {
    private let name: String
    private var ledger: ReplayLedger
    /// Entries of operations that have not ended, by the ids of these.
    private var operations: [UInt64: Int] = [:]
    private var tag: UInt64?

    init(_ name: String, _ ledger: ReplayLedger) { (self.name, self.ledger) = (name, ledger) }

    var committed: JournalCommitPosition { ledger.committed }

    /// Takes the next entry in; returns whether it is the one.
    mutating func isEnd(_ position: JournalPosition, _ event: JournalEvent) -> Bool {
        if position.tag != tag {
            // Whoever opened the image next did what had not ended.
            for number in operations.values.sorted() { ledger.finish(number) }
            (operations, tag) = ([:], position.tag)
        }
        let number = ledger.begin(position)
        switch event {
        case .operation(_, .snapshotCreate(let snapshot)) where snapshot.name == name:
            ledger.finish(number)
            return true
        case .operation(let id, _): operations[id] = number
        case .operationFinish(let finish):
            if let begun = operations.removeValue(forKey: finish.id) { ledger.finish(begun) }
            ledger.finish(number)
        default: ledger.finish(number)
        }
        return false
    }
}
