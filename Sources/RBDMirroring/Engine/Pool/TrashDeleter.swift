internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// The leader's: deletes what mirroring moved to the trash of a pool (or namespace), in its time.
///
/// The trash entry goes last and says *removing* from the first step on, the header goes before it: whoever leads next, ours or
/// stock's, goes on from there. Entries of other sources are not touched.
struct TrashDeleter: Sendable {
    private let pair: PoolPair
    private let share: ImageShare
    private let logger: Logger
    private let wake = WakeSignal()
    private let retryInterval: Duration

    init(pair: PoolPair, share: ImageShare, logger: Logger) {
        self.pair = pair
        self.share = share
        self.logger = logger
        let seconds = (try? pair.local.cluster.option("rbd_mirror_delete_retry_interval")).flatMap(Double.init)
        retryInterval = .seconds(max(0.1, seconds ?? 30))
    }

    private var pool: Pool { pair.local }
    private var trash: TrashDirectory { TrashDirectory(pool) }

    /// Deletes until cancelled.
    func run() async {
        var listeners = [Task { [share, wake] in await share.followLeader { wake.signal() } }]
        var watch: Watch?
        while !Task.isCancelled {
            var pause = retryInterval
            if share.isLeader {
                do {
                    if watch == nil {
                        try await trash.create()
                        let new = try await pool.watch(ObjectNames.trash)
                        listeners.append(Task { [wake] in for await _ in new.events { wake.signal() } })
                        watch = new
                    }
                    pause = try await scan()
                } catch {
                    if !Task.isCancelled { logger.warning("cannot look at the trash", metadata: ["error": "\(error)"]) }
                }
            }
            guard (try? await wake.wait(for: pause)) != nil else { break }
        }
        for listener in listeners { listener.cancel() }
        await watch?.cancel(within: .seconds(2))
    }

    /// Deletes what is due; returns when to look again at the latest.
    private func scan() async throws -> Duration {
        let plan = TrashPlan(try await trash.entries(), at: .now)
        for id in plan.due {
            guard share.isLeader, !Task.isCancelled else { break }
            do { try await delete(id) } catch {
                guard !Task.isCancelled else { break }
                logger.warning("cannot delete from the trash, to be repeated", metadata: ["image.id": "\(id)", "error": "\(error)"])
            }
        }
        guard let next = plan.nextDue else { return retryInterval }
        return min(retryInterval, .seconds(max(0, Int(next.seconds) - Int(CephTime.now.seconds)) + 1))
    }

    private func delete(_ id: String) async throws {
        // One that is in the directory or has a record is still on its way into the trash.
        guard try await pool.imageName(ofID: id) == nil, try await pair.localImages.image(id) == nil,
            let entry = try await trash.entry(id), entry.source == .mirroring else { return }
        let started = ContinuousClock.now
        if try await pool.exists(ObjectNames.header(id)) {
            guard try await empty(id, entry) else { return }
        } else if try await !claim(id, entry) { return }
        try await pool.removeJournal(of: id)
        try await pool.removeImageHeader(id)
        try await trash.remove(id)
        // Only a hint.
        try? await trash.notify(.imageRemoved(id: id))
        logger.notice("deleted from the trash", metadata: [
            "image.id": "\(id)", "image.name": "\(entry.name)", "seconds": "\(started.duration(to: .now).inSeconds)",
        ])
    }

    /// Removes data and snapshots; false when the image was taken out of the trash meanwhile.
    private func empty(_ id: String, _ entry: TrashImageSpec) async throws -> Bool {
        let replica = try await ReplicaImage.open(
            id, in: pool, ids: pair.resources.snapshotIDs, identity: pair.resources.identity)
        do {
            try await replica.checkRemovable()
            let isOurs = try await claim(id, entry)
            if isOurs {
                try await replica.leaveParent()
                try await replica.removeData(objectsInFlight: pair.resources.limits.objectsInFlight)
                try await replica.removeAllSnapshots()
            }
            await replica.close()
            return isOurs
        } catch {
            // What was not answered may still be applied: all of it is to go anyway. Not cut short by cancellation.
            await Task { await replica.close() }.value
            throw error
        }
    }

    /// From here on the image cannot be restored any more; false when that is going on.
    private func claim(_ id: String, _ entry: TrashImageSpec) async throws -> Bool {
        if entry.state == .removing { return true }
        return try await trash.setState(id, to: .removing, from: .normal)
    }
}
