internal import CephCore
internal import JournalReplay
internal import Replication

/// Tells the source how far a replica is, and everybody else.
actor JournalCommits {
    private let sides: JournalSides
    private let replayer: JournalReplayer
    private let show: @Sendable (ReplicationStatus, JournalReplayFigures?) async -> Void
    private nonisolated let header: Locked<JournalHeader>
    private var peer: JournalClientRole.Peer
    private var committed: JournalCommitPosition
    private var meter = JournalMeter()
    private var last: Task<Void, any Error>?
    /// Nothing was committed since the journal was trimmed.
    private var isTrimmed = true

    init(
        sides: JournalSides, replayer: JournalReplayer, peer: JournalClientRole.Peer, header: JournalHeader,
        committed: JournalCommitPosition, show: @escaping @Sendable (ReplicationStatus, JournalReplayFigures?) async -> Void
    ) {
        (self.sides, self.replayer, self.show, self.peer, self.committed) = (sides, replayer, show, peer, committed)
        self.header = Locked(header)
    }

    /// The source's header was read.
    nonisolated func saw(_ new: JournalHeader) { header.withLock { $0 = new } }

    /// Whether the source has cut this site off, by the newest header.
    nonisolated var isDisconnected: Bool { header.withLock { $0.client(sides.client)?.state == .disconnected } }

    func applied(_ entries: [JournalEntry]) { meter.applied(entries) }

    /// Commits what is durable.
    ///
    /// - Parameter trims: Whether the source's journal is trimmed too, as nobody else does where its image is not open.
    func commit(trims: Bool = false) async throws {
        // One after the other: the source takes any position, an older one too.
        let before = last
        let task = Task {
            _ = await before?.result
            try await perform(trims)
        }
        last = task
        try await withTaskCancellationHandler { try await task.value } onCancel: { task.cancel() }
    }

    private func perform(_ trims: Bool) async throws {
        let (position, snapshotIDs) = (await replayer.committed, await replayer.snapshotIDs)
        if snapshotIDs != peer.snapshotIDs {
            var new = peer
            new.snapshotIDs = snapshotIDs
            try await sides.update(new)
            peer = new
        }
        let (remote, client) = (sides.remote, sides.client)
        if position != committed { try await yieldingToCancellation { try await remote.commit(client, position) } }
        if position != committed { isTrimmed = false }
        committed = position
        guard trims, !isTrimmed else { return }
        try await yieldingToCancellation { _ = try await remote.trim() }
        isTrimmed = true
    }

    /// Shows how the replay stands.
    func report() async {
        let figures = meter.figures(header.withLock { $0 }, await replayer.committed)
        let reason: ReasonCode = figures.entriesBehindPrimary > 0 ? .replayingJournal : .upToDate
        await show(ReplicationStatus(role: .replica, state: .replaying, reason: reason), figures)
    }
}
