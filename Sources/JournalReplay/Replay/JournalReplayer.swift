public import RBDImage
internal import CephCore

/// Does to a replica what the entries of its primary's journal say.
///
/// Entries are taken in order. Changes of data are made side by side, those of one object one after the other: what comes while it is
/// being changed travels as one operation then. What has to see all that came before (a flush, a maintenance operation) waits for
/// it. Applying entries again that were applied before, as after a crash, changes nothing.
public actor JournalReplayer {
    private let image: ReplayImage
    private var ledger: ReplayLedger
    /// What is gathered.
    private var batch: ReplayBatch
    private var waves = ReplayWaves()
    /// Operations that have begun at the primary, by their ids.
    private var operations: [UInt64: Pending] = [:]
    /// Ids of the primary's snapshots to those of the replica's, as far as they are known.
    public private(set) var snapshotIDs: [UInt64: UInt64]
    private var commit: (@Sendable () async throws -> Void)?

    private struct Pending {
        var operation: JournalEvent.Operation
        var position: JournalPosition
        var number: Int
        /// Whether it was done when it began.
        var isDone = false
        /// Whether the replica had the snapshot that it makes.
        var wasThere = false
    }

    /// - Parameters:
    ///   - replica: Open, with its lock held; nobody else changes it meanwhile.
    ///   - committed: The last entry that was applied.
    public init(
        _ replica: ReplicaImage, after committed: JournalCommitPosition, _ geometry: JournalGeometry,
        snapshotIDs: [UInt64: UInt64] = [:]
    ) async throws {
        image = try await ReplayImage(replica)
        ledger = ReplayLedger(after: committed, splayWidth: geometry.width)
        batch = ReplayBatch(image.header.layout, size: image.header.size)
        self.snapshotIDs = snapshotIDs
    }

    /// Has what is durable committed before each maintenance operation that is done here, and after it.
    ///
    /// Without that an operation may be done again, after a crash, on a replica that has been through later ones: there it is not
    /// what it was.
    public func commitAroundOperations(_ commit: @escaping @Sendable () async throws -> Void) { self.commit = commit }

    /// Lets go of what was opened for it, once nothing is under way; the replica stays open.
    public func close() async {
        while waves.count > 0 { await waveEnds() }
        await image.close()
    }

    /// Keeps something until all data is durable that was taken so far.
    public func hold(_ resource: any AnyObject & Sendable) { waves.hold(resource) }

    /// The last entry before which all are applied and durable.
    public var committed: JournalCommitPosition { ledger.committed }
    /// Entries that were taken and are not that far.
    public var behind: Int { ledger.count }

    /// Takes an entry; what it says is done by the time that ``flush()`` returns, except for operations that have not ended.
    ///
    /// Waits while too much is under way.
    /// - Throws: ``JournalReplayError``; `CephError`, also that of an entry before. Nothing more is done then.
    public func apply(_ entry: JournalEntry) async throws {
        let number = ledger.begin(entry.position)
        switch entry.event {
        case .write(let write):
            try check(write.length == write.data.count, entry, "a write of \(write.length) bytes has \(write.data.count)")
            try await change(number) { $0.write(write.data, at: write.offset) }
        case .discard(let discard): try await change(number) { $0.discard(discard) }
        case .writeSame(let write): try await change(number) { $0.writeSame(write) }
        case .compareAndWrite(let write):
            let isSound = write.expected.count == write.data.count && write.length == write.data.count
            try check(isSound, entry, "a compare-and-write of \(write.length) bytes has \(write.expected.count) and \(write.data.count)")
            try await compareAndWrite(write, number)
        case .flush, .roleChange:
            try await flush()
            ledger.finish(number)
        case .operation(let id, let operation): try await begin(operation, id, number, entry.position)
        case .operationFinish(let finish): try await end(finish, number, entry.position)
        case .unknown: ledger.finish(number)
        }
    }

    private func compareAndWrite(_ write: JournalEvent.CompareAndWrite, _ number: Int) async throws {
        try await flush()
        if try await image.bytes(at: write.offset, count: write.expected.count) == Array(write.expected) {
            try await change(number) { $0.write(write.data, at: write.offset) }
            try await flush()
        } else {
            ledger.finish(number)
        }
        // Compared with what comes after it, as after a crash, it may come out otherwise.
        try await commit?()
    }

    private func check(_ isSound: Bool, _ entry: JournalEntry, _ text: @autoclosure () -> String) throws {
        guard !isSound else { return }
        throw JournalReplayError(.invalid, at: entry.position, text())
    }

    /// No more entries of the tag will come: operations that have not ended are done, as the primary does them when it is opened again.
    public func endTag() async throws {
        try await flush()
        for (id, pending) in operations.sorted(by: { $0.key < $1.key }) {
            operations[id] = nil
            if !pending.isDone {
                try await commit?()
                try await perform(pending.operation, pending.position)
            }
            ledger.finish(pending.number)
            try await commit?()
        }
    }
}

/// Changes of data.
extension JournalReplayer {
    /// Data that is gathered or under way, in bytes, and changes that are gathered.
    private static let most = (bytes: 16 << 20, changes: 4096)
    /// What is worth going on its way beside others.
    private static let worthwhile = (bytes: 1 << 20, changes: 256)
    private static let mostWaves = 4

    /// Makes everything that was taken durable.
    public func flush() async throws {
        begin()
        while !batch.isEmpty || waves.count > 0 {
            try waves.check()
            await waveEnds()
        }
        try waves.check()
    }

    private func change(_ number: Int, _ changes: (inout ReplayBatch) -> Void) async throws {
        let objects = batch.add(number, changes)
        if objects == 0 { ledger.finish(number) } else { waves.open(number, objects: objects) }
        if waves.count == 0 || batch.bytes >= Self.worthwhile.bytes || batch.count >= Self.worthwhile.changes { begin() }
        while batch.bytes + waves.bytes >= Self.most.bytes || batch.count >= Self.most.changes {
            try waves.check()
            await waveEnds()
        }
        try waves.check()
    }

    private func waveEnds() async { await withCheckedContinuation { waves.wait($0) } }

    /// Begins with what is gathered, unless its objects are being changed.
    private func begin() {
        guard waves.count < Self.mostWaves, waves.failure == nil else { return }
        let wave = batch.split(without: waves.objects)
        guard !wave.isEmpty else { return }
        waves.begin(wave)
        // It runs to its end also when whoever asked for it is cancelled: in the middle of it the replica is what its source never was.
        Task {
            var failure: (any Error)?
            do { try await image.apply(wave) } catch { failure = error }
            ledger.finish(waves.end(wave, failure))
            begin()
        }
    }
}

/// Maintenance operations.
extension JournalReplayer {
    private func begin(
        _ operation: JournalEvent.Operation, _ id: UInt64, _ number: Int, _ position: JournalPosition
    ) async throws {
        var pending = Pending(operation: operation, position: position, number: number)
        if operation.isDoneAtOnce {
            try await flush()
            if case .snapshotCreate(let snapshot) = operation { pending.wasThere = find(snapshot) != nil }
            try await commit?()
            try await perform(operation, position)
            pending.isDone = true
        }
        operations[id] = pending
    }

    private func end(_ finish: JournalEvent.OperationFinish, _ number: Int, _ position: JournalPosition) async throws {
        try await flush()
        // Without its beginning it was done with before.
        if let pending = operations.removeValue(forKey: finish.id) {
            try await commit?()
            if finish.result < 0 {
                try await undo(pending, result: finish.result)
            } else if !pending.isDone {
                try await perform(pending.operation, pending.position)
            }
            ledger.finish(pending.number)
        }
        ledger.finish(number)
        try await commit?()
    }

    /// The primary could not do it: what was begun here is taken back.
    private func undo(_ pending: Pending, result: Int32) async throws {
        guard pending.isDone else { return }
        if case .snapshotCreate(let snapshot) = pending.operation {
            // Its name was taken, it may be: then that one stays.
            if !pending.wasThere { try await perform(.snapshotRemove(snapshot), pending.position) }
            return
        }
        throw JournalReplayError(.failedAtPrimary, at: pending.position, """
            an operation failed at the primary with error \(-result) after it was done here: resync the image
            """)
    }

    private func perform(_ operation: JournalEvent.Operation, _ position: JournalPosition) async throws {
        let replica = image.replica
        switch operation {
        case .snapshotCreate(let snapshot):
            if find(snapshot) == nil { try await replica.addSnapshot(snapshot.name, snapshot.namespace) }
        case .snapshotRemove(let snapshot): try await remove(snapshot)
        case .snapshotRename(let rename): try await self.rename(rename, position)
        case .snapshotProtect(let snapshot): try await setProtection(.protected, of: snapshot, position)
        case .snapshotUnprotect(let snapshot): try await setProtection(.unprotected, of: snapshot, position)
        case .snapshotRollBack(let snapshot): try await image.rollBack(to: try found(snapshot, position))
        case .rename(let name): try await image.rename(to: name)
        case .resize(let size): try await image.resize(to: size)
        case .flatten: try await image.flatten()
        case .snapshotLimit(let limit): try await replica.setSnapshotLimit(limit)
        case .updateFeatures(let features, let enabled): try await image.update(features, enabled: enabled)
        case .metadataSet(let key, let value): try await replica.changeMetadata(removing: [], setting: [key: value])
        case .metadataRemove(let key):
            if image.header.metadata[key] != nil { try await replica.changeMetadata(removing: [key], setting: [:]) }
        }
        try await replica.notifyHeaderUpdate()
        try await image.reload()
        batch = ReplayBatch(image.header.layout, size: image.header.size)
    }

    private func find(_ snapshot: JournalSnapshot) -> ImageSnapshot? {
        image.header.snapshots.first { $0.name == snapshot.name && $0.namespace == snapshot.namespace }
    }

    private func found(_ snapshot: JournalSnapshot, _ position: JournalPosition) throws -> ImageSnapshot {
        if let found = find(snapshot) { return found }
        throw JournalReplayError(.missing, at: position, "the replica has no snapshot \(snapshot.name): resync the image")
    }

    private func remove(_ snapshot: JournalSnapshot) async throws {
        if let found = find(snapshot) { try await image.replica.removeSnapshot(found.id) }
    }

    private func setProtection(
        _ protection: SnapshotProtection, of snapshot: JournalSnapshot, _ position: JournalPosition
    ) async throws {
        try await image.replica.setProtection(protection, of: try found(snapshot, position).id)
    }

    private func rename(_ rename: JournalEvent.SnapshotRename, _ position: JournalPosition) async throws {
        let snapshots = image.header.snapshots
        let known = snapshotIDs[rename.id].flatMap { id in snapshots.first { $0.id == id } }
        let found = known ?? snapshots.first { $0.isUser && $0.name == rename.from }
        guard let found else {
            if snapshots.contains(where: { $0.isUser && $0.name == rename.to }) { return }
            throw JournalReplayError(.missing, at: position, "the replica has no snapshot \(rename.from): resync the image")
        }
        snapshotIDs[rename.id] = found.id
        if found.name != rename.to { try await image.replica.renameSnapshot(found.id, to: rename.to) }
    }
}

extension JournalEvent.Operation {
    /// Whether it is done when it begins: what follows in the journal builds on it.
    fileprivate var isDoneAtOnce: Bool {
        switch self {
        case .snapshotCreate, .resize, .updateFeatures: true
        default: false
        }
    }
}
