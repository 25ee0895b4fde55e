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

    /// What became, since a snapshot was made, of the ones that were there before.
    ///
    /// - Parameter committed: Where to look from: before the snapshot was made, or right behind.
    /// - Throws: ``JournalDamage``; `CephError`; `CancellationError`.
    package func snapshotNames(since point: String, after committed: JournalCommitPosition) async throws -> SnapshotNames {
        var names = SnapshotNames(since: point)
        for try await entry in entries(after: committed) { names.add(entry.event) }
        return names
    }
}

/// Finds out what snapshots were called when another one was made, from what they are called now and the operations between. Pure.
package struct SnapshotNames {
    private let point: String
    private var renames: [(id: UInt64, from: String)] = []
    /// Names of those that were made since.
    private var younger: Set<String> = []
    /// The names of snapshots that are being made, by the operations' ids.
    private var making: [UInt64: String] = [:]
    /// Whether one was removed that was there before: it is not known what it was called.
    package private(set) var isOneGone = false

    package init(since point: String) { self.point = point }

    /// Takes the next event in.
    package mutating func add(_ event: JournalEvent) {
        switch event {
        case .operation(_, .snapshotCreate(let snapshot)) where snapshot.name == point: self = SnapshotNames(since: point)
        case .operation(let id, .snapshotCreate(let snapshot)):
            making[id] = snapshot.name
            younger.insert(snapshot.name)
        case .operation(_, .snapshotRename(let rename)):
            renames.append((rename.id, rename.from))
            if younger.remove(rename.from) != nil { younger.insert(rename.to) }
        case .operation(_, .snapshotRemove(let snapshot)) where snapshot.name != point:
            if younger.remove(snapshot.name) == nil { isOneGone = true }
        case .operationFinish(let finish):
            if let name = making.removeValue(forKey: finish.id), finish.result < 0 { younger.remove(name) }
        default: break
        }
    }

    /// The names then, by ids.
    package func names(_ now: [UInt64: String]) -> [UInt64: String] {
        var names = now
        for rename in renames.reversed() where names[rename.id] != nil { names[rename.id] = rename.from }
        return names
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
