internal import CephCore

/// How a journal is archived.
public struct JournalArchiving: Sendable {
    /// Who it is in the journal's list of clients: the journal is kept for it until it is unregistered.
    public var client = "archive"
    /// How often what was archived is made durable, and committed.
    public var commitAge = Duration.seconds(5)
    public var polling = JournalPolling()
    /// Bytes, about.
    public var segmentSize: UInt64 = 256 << 20

    public init() {}
}

/// How far an archive is.
public struct JournalArchiveProgress: Hashable, Sendable {
    /// Since it was begun, or gone on with.
    public var archived = JournalToolProgress(entries: 0, bytes: 0)
    /// The last entry that is on stable storage.
    public var durable: JournalPosition?
}

extension Journal {
    /// Writes the journal to an archive as it comes, beside those who replay it; until it is cancelled, or the journal goes.
    ///
    /// The journal is kept for it as far as it is not on stable storage. Registers its client where that is not there; the archive
    /// begins where the slowest client is then. Goes on with an archive that is there.
    /// - Throws: ``JournalArchive/Failure``: `gap` when the journal no longer has what the archive would go on with.
    public func archive(
        to archive: JournalArchive, _ settings: JournalArchiving = .init(),
        progress: (@Sendable (JournalArchiveProgress) -> Void)? = nil
    ) async throws {
        let queue = EntryQueue(limit: 8 << 20)
        // Not cancelled itself: what is on its way is made durable first.
        let work = Task { try await run(archive, settings, queue, progress) }
        try await withTaskCancellationHandler { try await work.value } onCancel: { queue.fail(CancellationError()) }
    }

    private func run(
        _ archive: JournalArchive, _ settings: JournalArchiving, _ queue: EntryQueue,
        _ progress: (@Sendable (JournalArchiveProgress) -> Void)?
    ) async throws {
        let identity = ArchiveIdentity(fsid: try pool.cluster.fsid(), pool: pool.id, namespace: pool.namespace, image: id)
        var writer = try await ArchiveWriter(archive, identity, segmentSize: settings.segmentSize)
        let committed = try await committed(by: settings.client, archived: writer.last)
        let reader = Task {
            do {
                for try await entry in follow(after: committed, polling: settings.polling) { try await queue.put(entry) }
            } catch { queue.fail(error) }
        }
        defer { reader.cancel() }
        var ledger = ArchiveLedger(committed, writer.last, geometry)
        do {
            while true {
                let entries = try await queue.take(until: ledger.dirtySince.map { $0 + settings.commitAge })
                for entry in entries where ledger.isNew(entry.position) {
                    if writer.needsTag(entry.position) { try await writer.add(try await tag(entry.position.tag)) }
                    try await writer.add(entry)
                    ledger.added(entry)
                }
                guard let since = ledger.dirtySince, since.duration(to: .now) >= settings.commitAge else { continue }
                try await writer.synchronize()
                try await commit(settings.client, ledger.done())
                progress?(ledger.progress)
            }
        } catch is CancellationError {
            try await writer.synchronize()
            try await commit(settings.client, ledger.done())
            progress?(ledger.progress)
            throw CancellationError()
        }
    }

    /// Where to read on; nothing between that and what is archived may be missing.
    private func committed(by client: String, archived last: JournalPosition?) async throws -> JournalCommitPosition {
        var header = try await header()
        if header.client(client) == nil {
            try await register(client, .tool)
            header = try await self.header()
        }
        guard let record = header.client(client) else {
            throw CephError(code: 2, operation: "register journal client", subject: "\(headerObject) (client \(client))")
        }
        guard record.state != .disconnected else {
            throw JournalArchive.Failure(.gap, """
                the journal of image \(id) has cut client \(client) off: unregister it, and begin a new archive with a new base snapshot
                """)
        }
        if let last, let newest = record.committed.newest, last.precedes(newest) {
            throw JournalArchive.Failure(.gap, """
                the archive ends at tag \(last.tag), entry \(last.entry), and the journal of image \(id) begins behind tag \
                \(newest.tag), entry \(newest.entry): begin a new archive with a new base snapshot
                """)
        }
        return record.committed
    }
}

/// What has been archived, and how much of it is durable. Pure.
private struct ArchiveLedger {
    private var committed: JournalCommitPosition
    private let last: JournalPosition?
    private let geometry: JournalGeometry
    private(set) var progress = JournalArchiveProgress()
    /// Nil while all is durable.
    private(set) var dirtySince: ContinuousClock.Instant?

    init(_ committed: JournalCommitPosition, _ last: JournalPosition?, _ geometry: JournalGeometry) {
        (self.committed, self.last, self.geometry) = (committed, last, geometry)
        progress.durable = last
    }

    /// Whether an entry is not there already; those that are count as read.
    mutating func isNew(_ position: JournalPosition) -> Bool {
        guard let last, !last.precedes(position) else { return true }
        committed.advance(to: position, splayWidth: geometry.width)
        return false
    }

    mutating func added(_ entry: JournalEntry) {
        committed.advance(to: entry.position, splayWidth: geometry.width)
        progress.archived.entries += 1
        progress.archived.bytes += UInt64(entry.payload.count)
        if dirtySince == nil { dirtySince = .now }
    }

    /// All of it is; returns how far that is.
    mutating func done() -> JournalCommitPosition {
        progress.durable = committed.newest
        dirtySince = nil
        return committed
    }
}
