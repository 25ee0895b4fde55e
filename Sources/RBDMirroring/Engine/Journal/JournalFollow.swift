internal import CephCore
internal import JournalReplay
internal import Logging
internal import RBDImage
internal import Replication
internal import SnapshotDelta

/// Keeps one image in step by its source's journal, until there is a reason to stop.
struct JournalFollow {
    let sides: JournalSides
    let replica: ReplicaImage
    let settings: JournalSettings
    let memory: BufferPool
    let logger: Logger
    /// Runs a first sync when it is the image's turn.
    let takingTurns: @Sendable (@Sendable () async throws -> CopyProgress) async throws -> Void
    let copying: @Sendable (SourceImage) -> SnapshotSync
    let show: @Sendable (ReplicationStatus, JournalReplayFigures?) async -> Void

    func run(isNew: Bool) async throws -> ReplicationStatus {
        var isNew = isNew
        // Those that were being removed when somebody died.
        let begun = try await replica.refresh().snapshots.filter { if case .trash = $0.namespace { true } else { false } }
        try await replica.removeSnapshots(begun.map(\.id))
        while true {
            try Task.checkCancellation()
            let plan = JournalPlanner.plan(try await sides.facts())
            logger.debug("plan", metadata: ["plan": "\(plan)"])
            switch plan {
            case .register(let peer): try await sides.register(peer)
            case .firstSync(let peer):
                let sync = firstSync(isNew: isNew)
                try await takingTurns { try await sync.run(peer) }
                isNew = false
            case .replay(let peer) where !peer.syncPoints.isEmpty: try await firstSync(isNew: false).clear(peer)
            case .replay(let peer): return try await replay(peer)
            case .stop(.disconnected) where settings.resyncsAfterDisconnect:
                try await sides.local.requestResync()
                return JournalPlan.StopReason.resyncRequested.status()
            case .stop(let reason): return reason.status()
            }
        }
    }

    private func firstSync(isNew: Bool) -> JournalFirstSync {
        JournalFirstSync(sides: sides, settings: settings, copying: copying, replica: replica, isNew: isNew)
    }

    // MARK: Replay

    private func replay(_ peer: JournalClientRole.Peer) async throws -> ReplicationStatus {
        let (remote, client) = (sides.remote, sides.client)
        let header = try await yieldingToCancellation { try await remote.header() }
        guard let committed = header.client(client)?.committed else { throw CephError(
            code: 2, operation: "read journal header", subject: "\(remote.pool.cluster.name):\(remote.headerObject) (client \(client))") }
        let replayer = try await JournalReplayer(replica, after: committed, remote.geometry, snapshotIDs: peer.snapshotIDs)
        let commits = JournalCommits(sides: sides, replayer: replayer, peer: peer, header: header, committed: committed, show: show)
        await replayer.commitAroundOperations { try await commits.commit() }
        await commits.report()
        let result = await outcome(of: replayer, commits, committed)
        let isPromoted = (try? result.get().reason) == .forcePromoted
        // Not cut short by the cancellation that led here; but a silent source is not waited for, and whoever promotes waits for us.
        await Task {
            try? await replayer.flush()
            if !isPromoted { _ = try? await withDeadline(.seconds(3), for: "committing") { try await commits.commit(trims: true) } }
            await replayer.close()
        }.value
        return try result.get()
    }

    private func outcome(
        of replayer: JournalReplayer, _ commits: JournalCommits, _ committed: JournalCommitPosition
    ) async -> Result<ReplicationStatus, any Error> {
        let queue = EntryQueue(limit: settings.readAhead)
        let watch: Watch
        do { watch = try await sides.local.pool.watch(sides.local.headerObject) } catch { return .failure(error) }
        let headers = WakeSignal()
        let result: Result<ReplicationStatus, any Error>
        do {
            result = .success(try await withThrowingTaskGroup(of: ReplicationStatus?.self) { group in
                group.addTask {
                    await read(into: queue, after: committed) { header in
                        commits.saw(header)
                        headers.signal()
                    }
                    return nil
                }
                group.addTask { try await apply(from: queue, to: replayer, commits) }
                group.addTask { try await commitNowAndThen(commits) }
                group.addTask { try await watchLocal(watch) }
                group.addTask { try await watchClient(headers, commits) }
                defer { group.cancelAll() }
                while let status = try await group.next() { if let status { return status } }
                throw CancellationError()
            })
        } catch { result = .failure(error) }
        await watch.cancel(within: .seconds(2))
        return result
    }

    private func read(
        into queue: EntryQueue, after committed: JournalCommitPosition, onHeader: @escaping @Sendable (JournalHeader) -> Void
    ) async {
        do {
            let entries = sides.remote.follow(
                after: committed, polling: settings.polling, readAhead: settings.readAhead, onHeader: onHeader)
            for try await entry in entries { try await queue.put(entry) }
        } catch { queue.fail(error) }
    }

    /// Applies what comes, as much at once as is there; returns when the source turns out to be demoted.
    private func apply(
        from queue: EntryQueue, to replayer: JournalReplayer, _ commits: JournalCommits
    ) async throws -> ReplicationStatus {
        var tag: UInt64?
        while true {
            let entries = try await queue.take()
            // One that is to stay behind keeps nobody else waiting: what it holds is what was read ahead.
            let bytes = settings.delay > .zero ? 1 : entries.reduce(0) { $0 + $1.payload.count }
            let budget = Budget(try await memory.reserve(bytes))
            for entry in entries {
                try await wait(for: entry, replayer)
                if entry.position.tag != tag {
                    try await replayer.endTag()
                    let entrance = try await sides.enter(entry.position.tag)
                    logger.debug("epoch", metadata: ["journal.tag": "\(entry.position.tag)", "journal.epoch": "\(entrance)"])
                    tag = entry.position.tag
                    if entrance == .demotion {
                        try await replayer.apply(entry)
                        return JournalPlan.StopReason.remoteDemoted.status()
                    }
                }
                try await replayer.apply(entry)
                // Somebody else may want the image: what is durable so far is a state that it had.
                try Task.checkCancellation()
            }
            await replayer.hold(budget)
            // What fails then is not noticed by an entry that comes next.
            if queue.isEmpty { try await replayer.flush() }
            await commits.applied(entries)
        }
    }

    /// An entry of a replica that is to stay behind waits until it is old enough.
    private func wait(for entry: JournalEntry, _ replayer: JournalReplayer) async throws {
        guard settings.delay > .zero, let made = entry.timestamp, made != .zero else { return }
        let left = settings.delay - .milliseconds(max(0, Int(CephTime.now.milliseconds) - Int(made.milliseconds)))
        guard left > .zero else { return }
        try await replayer.flush()
        try await Task.sleep(for: left)
    }

    private func commitNowAndThen(_ commits: JournalCommits) async throws -> ReplicationStatus? {
        while true {
            try await Task.sleep(for: settings.commitAge)
            try await commits.commit(trims: true)
            await commits.report()
        }
    }

    /// Returns when the local image is no replica any more, or is to be made anew.
    private func watchLocal(_ watch: Watch) async throws -> ReplicationStatus? {
        for await _ in watch.events {
            let header = try await sides.local.header()
            let owner = try header.imageTags.last?.epoch().owner
            if owner == .local {
                // Who writes next asks for the lock, maybe before it is given back.
                replica.lock.offer(true)
                return SnapshotPlan.StopReason.forcePromoted.status()
            }
            if header.ownImage?.isResyncRequested ?? false { return JournalPlan.StopReason.resyncRequested.status() }
        }
        return nil
    }

    /// Returns when the source has cut this site off.
    private func watchClient(_ headers: WakeSignal, _ commits: JournalCommits) async throws -> ReplicationStatus? {
        while true {
            _ = try await headers.wait()
            if commits.isDisconnected { return JournalPlan.StopReason.disconnected.status() }
        }
    }
}

/// A part of the memory that all images have together.
private final class Budget: Sendable {
    private let reservation: BufferPool.Reservation
    init(_ reservation: consuming BufferPool.Reservation) { self.reservation = reservation }
}

extension CephTime {
    fileprivate var milliseconds: UInt64 { UInt64(seconds) * 1000 + UInt64(nanoseconds) / 1_000_000 }
}
