internal import CephCore
internal import Foundation
internal import JournalReplay
internal import Logging
internal import RBDImage
internal import Replication
internal import SnapshotDelta

/// Keeps one image in step: finds both sides, plans, performs, waits for the next change.
///
/// Every attempt begins from what the clusters show; nothing is remembered but the pace of retries.
actor ImageReplayer {
    let globalID: String
    let pair: PoolPair
    private(set) var logger: Logger
    private let board: StatusBoard
    private let share: ImageShare
    private let deletions: DeletionGuard
    private let onContactLost: @Sendable (ContactLoss) -> Void
    private let wake = WakeSignal()
    private var task: Task<Void, Never>?
    private var meter = ReplayMeter()
    private var mode = MirrorImage.Mode.snapshot
    /// Of an image that is replayed by its journal.
    private var journalFigures: JournalReplayFigures?
    private var backoff = Backoff(first: .milliseconds(500), longest: .seconds(30))
    /// Whether the source was followed until what is shown came about.
    private var wasReplayed = false
    /// A promotion that was let pass: the image is the promoter's until it has a newer point as a primary than it had before, or until
    /// the deadline, if nothing shows of it.
    private var promotion: (deadline: ContinuousClock.Instant, before: UInt64, status: ReplicationStatus)?
    private(set) var status = ReplicationStatus()
    private(set) var name = ""

    init(
        globalID: String, pair: PoolPair, board: StatusBoard, share: ImageShare, deletions: DeletionGuard, logger: Logger,
        onContactLost: @escaping @Sendable (ContactLoss) -> Void
    ) {
        self.globalID = globalID
        self.pair = pair
        self.board = board
        self.share = share
        self.deletions = deletions
        self.onContactLost = onContactLost
        var logger = logger
        logger[metadataKey: "rbd.image"] = "\(globalID)"
        self.logger = logger
    }

    func start() {
        guard task == nil else { return }
        task = Task { await serve() }
    }

    /// Ends after what is in flight; the image is let go of when this returns.
    func stop() async {
        task?.cancel()
        await task?.value
        task = nil
    }

    /// What it serves and how it stands.
    func entry() -> Report.Entry {
        let subject = ReplicationSubject(
            container: pair.local.name, namespace: pair.local.namespace, name: name.isEmpty ? globalID : name, id: globalID)
        return Report.Entry(subject: subject, status: status)
    }

    /// The source's cluster does not answer: an image that is idle, or whose sync stands still, says so at once.
    func sourceIsSilent(_ error: CephError) async {
        guard status.state == .replaying, !meter.hasMoved(within: pair.remote.cluster.deadlines.object) else { return }
        await show(ReplayFailure.status(of: error, in: pair))
    }

    func perform(_ command: MirrorCommand) async {
        switch command {
        case .start: start()
        case .stop: await stop()
        case .restart:
            await stop()
            start()
        default: nudge()
        }
    }

    /// Something changed that this image may depend on.
    nonisolated func nudge() { wake.signal() }

    private func serve() async {
        let vigil = HeaderVigil(pair: pair, wake: wake, logger: logger)
        await show(ReplicationStatus(state: .starting, reason: .starting))
        while !Task.isCancelled {
            do {
                let (status, headers) = try await attempt(vigil)
                await show(status)
                backoff.reset()
                if let headers {
                    if try await vigil.keep(headers) { continue }
                } else if [.resyncRequested, .remoteRemoved].contains(status.reason) {
                    // Seen while it was replayed: what follows from it is for the bootstrap to say.
                    continue
                }
                _ = try await wake.wait(for: ReplayFailure.longestPause(after: status.reason))
            } catch {
                guard !Task.isCancelled else { break }
                // A forced promotion must not wait for a daemon that cannot take part in it.
                await vigil.end()
                let failure = ReplayFailure.status(of: error, in: pair)
                let pause = min(backoff.next(), ReplayFailure.longestPause(after: failure.reason))
                logger.warning("replay failed", metadata: ["error": "\(error)", "retry.seconds": "\(pause.inSeconds)"])
                meter.failed()
                if let loss = ReplayFailure.contactLoss(error, in: pair) {
                    // Creating and removing end here too: nobody is to go on before this client is fenced.
                    if loss == .unansweredChange { await share.mustBeFenced() }
                    onContactLost(loss)
                }
                await show(failure)
                // A change on either side may have removed the cause: do not sit the pause out. But taking back what was begun is a
                // change, too.
                guard (try? await Task.sleep(for: min(pause, .milliseconds(200)))) != nil,
                    (try? await wake.wait(for: pause)) != nil else { break }
            }
        }
        await vigil.end()
        // What stands still says why, also when nobody looks after it any more.
        if [.starting, .replaying].contains(status.state) {
            await show(ReplicationStatus(state: .stopped, reason: .stoppedByOperator))
        }
    }

    private func show(_ new: ReplicationStatus) async {
        guard new != status else { return }
        if new.differsInKind(from: status) {
            logger.info("status", metadata: ["state": "\(new.state.rawValue)", "reason": "\(new.reason)", "text": "\(new.text)"])
        }
        status = new
        if new.reason != .remoteDemoted { wasReplayed = new.state == .replaying }
        let figures: StockStatus.Figures? = switch (new.state, mode) {
        case (.replaying, .journal): journalFigures.map { .journal($0) }
        case (.replaying, _): .snapshot(meter.figures)
        default: nil
        }
        await board.show(globalID, name: name, new, StockStatus(new, figures: figures, mode: mode, wasReplayed: wasReplayed))
    }

    /// One attempt from the beginning; returns why replaying ended, and what to watch unless that is watched already.
    private func attempt(_ vigil: HeaderVigil) async throws -> (ReplicationStatus, HeaderVigil.Headers?) {
        let bootstrap = Bootstrap(pair: pair, globalID: globalID, deletions: deletions, logger: logger) { await vigil.end() }
        if let promotion, .now < promotion.deadline, try await bootstrap.newestPrimaryPoint() ?? 0 <= promotion.before {
            return (promotion.status, nil)
        }
        promotion = nil
        switch try await bootstrap.run() {
        case .stop(let status, let headers): return (status, headers)
        case .removed:
            let status = Bootstrap.remoteRemoved
            await show(status)
            await board.remove(globalID)
            return (status, HeaderVigil.Headers())
        case .replay(let image):
            await vigil.end()
            (name, mode) = (image.name, image.mode)
            logger[metadataKey: "image.name"] = "\(name)"
            let replica = try await ReplicaImage.open(
                image.localID, in: pair.local, ids: pair.resources.snapshotIDs, identity: pair.resources.identity)
            return (try await replay(replica, image, vigil), nil)
        }
    }

    /// Follows the source until there is a reason to stop, then lets go of the image.
    private func replay(
        _ replica: ReplicaImage, _ image: Bootstrap.Image, _ vigil: HeaderVigil
    ) async throws -> ReplicationStatus {
        // What happens to the source of a journal is told in the journal.
        let watch: Watch?
        let header = ObjectNames.header(image.remoteID)
        do { watch = image.mode == .journal ? nil : try await pair.remote.watchHeader(header) } catch {
            await replica.close()
            throw error
        }
        let work = Task { image.mode == .journal ? try await followJournal(replica, image) : try await follow(replica, image) }
        let guardian = LockGuardian(lock: replica.lock, wake: wake, logger: logger)
        let listeners = [
            Task { await guardian.listen { work.cancel() } },
            Task { if let watch { for await _ in watch.events { wake.signal() } } },
        ]
        let ended = await withTaskCancellationHandler { await work.result } onCancel: { work.cancel() }
        let result = guardian.verdict(on: ended)
        if case .failure(let error) = result, !guardian.promotionWaits, !Task.isCancelled {
            // Letting go may take a while, most of all when a cluster is silent.
            meter.failed()
            await show(ReplayFailure.status(of: error, in: pair))
        }
        // A task of its own: letting go must not be cut short by the cancellation that led here.
        let promoted = await Task {
            // Before the replay's own watches end: nothing is to happen unseen.
            if case .success(let status) = result, status.reason != .forcePromoting {
                _ = try? await vigil.keep(image.headers)
            }
            for listener in listeners { listener.cancel() }
            if guardian.forcedPromotionWaits { await vigil.end() } else if guardian.promotionWaits {
                _ = try? await vigil.keep(image.headers)
            }
            return await letGo(replica, watch, guardian, result)
        }.value
        if promoted, image.mode == .journal { return SnapshotPlan.StopReason.forcePromoted.status() }
        guard promoted else { return try result.get() }
        let reason: SnapshotPlan.StopReason = guardian.forcedPromotionWaits ? .forcePromoting : .remoteDemoted
        promotion = (.now + .seconds(30), await replica.header.newestPrimaryPoint, reason.status())
        return reason.status()
    }

    /// Gives the image back when everything in flight has ended; returns whether a forced promotion has it now.
    private func letGo(
        _ replica: ReplicaImage, _ watch: Watch?, _ guardian: LockGuardian, _ result: Result<ReplicationStatus, any Error>
    ) async -> Bool {
        if guardian.forcedPromotionWaits {
            do { try await UnfinishedSync(replica: replica).undo() } catch {
                logger.warning("could not undo the sync that was under way", metadata: ["error": "\(error)"])
            }
        }
        let promoted = await guardian.letPromotionPass()
        if !promoted, case .failure(let error) = result, ReplayFailure.isUnanswered(error, by: pair.local) {
            // The change may still be applied: only a fenced client lets go of the image safely.
            await share.mustBeFenced()
            await replica.abandon()
        } else {
            await replica.close()
        }
        await watch?.cancel(within: .seconds(2))
        return promoted
    }

    private func followJournal(_ replica: ReplicaImage, _ image: Bootstrap.Image) async throws -> ReplicationStatus {
        let metadata = await replica.header.metadata
        let follow = JournalFollow(
            sides: try await JournalSides.open(image, pair), replica: replica,
            settings: JournalSettings(pair.resources.journals, metadata: metadata, on: pair.local.cluster),
            memory: pair.resources.memory, logger: logger,
            takingTurns: { step in try await self.perform(replica, step) },
            copying: { source in self.sync(replica, source, isNew: image.isNew) },
            show: { status, figures in await self.show(status, figures) })
        return try await follow.run(isNew: image.isNew)
    }

    private func show(_ status: ReplicationStatus, _ figures: JournalReplayFigures?) async {
        journalFigures = figures
        await show(status)
    }

    /// Plans and performs until there is a reason to stop.
    private func follow(_ replica: ReplicaImage, _ image: Bootstrap.Image) async throws -> ReplicationStatus {
        var isNew = image.isNew
        var source = try await SourceImage.load(image.remoteID, in: pair.remote)
        try await SealedPointRepair(replica: replica, source: source).run()
        while true {
            try Task.checkCancellation()
            source = try await source.reloaded()
            let local = try await replica.refresh()
            let plan = SnapshotPlanner.plan(local: local.snapshots, remote: source.header.snapshots, context: context(local))
            logger.debug("plan", metadata: ["plan": "\(plan)"])
            meter.observe(local: local, source: source.header, pair)
            replica.lock.offer(local.isDemotedReplica)
            // A forced promotion that asked meanwhile falls back to a point that is there now.
            try Task.checkCancellation()
            switch plan {
            case .stop(.splitBrain(let how)):
                let isLeaving = try await pair.sourceIsLeaving(globalID)
                return isLeaving ? Bootstrap.remoteRemoved : SnapshotPlan.StopReason.splitBrain(how).status()
            case .stop(.remoteDemoted) where canMend(local, source), .idle where canMend(local, source):
                let sync = sync(replica, source, isNew: false)
                try await perform(replica, isNewPoint: false) { try await sync.mend(local.mirrorSnapshots.last!.id) }
            case .stop(let reason): return reason.status()
            case .idle:
                try await ParentUpkeep(sides: sync(replica, source, isNew: false).sides).finish()
                backoff.reset()
                await show(meter.status(.upToDate))
                _ = try await wake.wait(for: .seconds(30))
            case .wait(let reason):
                if reason.mayBeForGood, try await pair.sourceIsLeaving(globalID) { return Bootstrap.remoteRemoved }
                await show(meter.status(.waitingForSource))
                _ = try await wake.wait(for: .seconds(30))
            case .prune(let ids):
                try await replica.removeSnapshots(ids)
                try await replica.notifyHeaderUpdate()
            case .unlink(let ids): try await unlink(ids, image.remoteID)
            case .seal(let id):
                let sync = sync(replica, source, isNew: false)
                if local.isClone || canMend(local, source) {
                    try await perform(replica, isNewPoint: false) { try await sync.mend(id) }
                } else {
                    try await sync.seal(id)
                }
            case .sync(let step):
                let sync = sync(replica, source, isNew: isNew)
                try await perform(replica) { try await sync.run(step) }
                isNew = false
            case .resume(let step):
                let sync = sync(replica, source, isNew: false)
                try await perform(replica) { try await sync.run(step) }
            }
        }
    }

    /// Whether a stock daemon made the newest point here, and the source still has it to compare.
    private func canMend(_ local: ImageHeader, _ source: SourceImage) -> Bool {
        guard let newest = local.mirrorSnapshots.last, let mirror = newest.mirror, mirror.complete else { return false }
        return local.isCopiedByOthers(newest.id) && source.header.snapshot(mirror.primarySnapshotID)?.mirror != nil
    }

    private func context(_ local: ImageHeader) -> SnapshotPlanContext {
        SnapshotPlanContext(
            localMirrorUUID: pair.localMirrorUUID, remoteMirrorUUID: pair.remoteMirrorUUID,
            remotePeerUUID: pair.remotePeerUUID, localPeerUUIDs: pair.localPeerUUIDs,
            resyncRequested: local.resyncRequested(mirrorUUID: pair.localMirrorUUID))
    }

    private func perform(
        _ replica: ReplicaImage, isNewPoint: Bool = true, _ step: @Sendable () async throws -> CopyProgress
    ) async throws {
        await show(running(.throttled))
        let ids = pair.resources.snapshotIDs
        await ids.expect(globalID, in: replica.dataPool)
        do {
            let permit = try await share.requestSync(replica.id)
            defer { permit.finish() }
            try await measure(step, isNewPoint)
            await ids.settle(globalID, in: replica.dataPool)
        } catch {
            meter.failed()
            await ids.settle(globalID, in: replica.dataPool)
            throw error
        }
    }

    private func measure(_ step: @Sendable () async throws -> CopyProgress, _ isNewPoint: Bool) async throws {
        let started = ContinuousClock.now
        meter.began()
        await show(running(.syncing))
        let progress = try await step()
        let seconds = started.duration(to: .now).inSeconds
        meter.ended(progress, seconds: seconds, isNewPoint: isNewPoint)
        logger.info(isNewPoint ? "synced" : "mended", metadata: [
            "bytes": "\(progress.bytesRead)", "objects": "\(progress.objectsTotal)", "seconds": "\(seconds)",
        ])
    }

    private func progressed(_ progress: CopyProgress) async {
        guard meter.progress != nil, meter.progressed(progress) else { return }
        await show(running(.syncing))
    }

    /// The status of an image that is being copied: by journal that is done once, and in stock's words.
    private func running(_ reason: ReasonCode) -> ReplicationStatus {
        var status = meter.status(reason)
        guard mode == .journal else { return status }
        let percent = meter.progress.map { " \(Int($0.fraction * 100))%" } ?? ""
        status.state = .firstSync
        status.text = reason == .throttled ? "IMAGE_SYNC/NOTIFY_SYNC_REQUEST" : "IMAGE_SYNC/COPY_IMAGE\(percent)"
        return status
    }

    private nonisolated func sync(_ replica: ReplicaImage, _ source: SourceImage, isNew: Bool) -> SnapshotSync {
        let sides = SyncSides(
            replica: replica, source: source, globalID: globalID, sourceMirrorUUID: pair.remoteMirrorUUID,
            localPeers: pair.transmitPeers, memory: pair.resources.memory, limits: pair.resources.limits, isNewImage: isNew)
        let directory = pair.localImages
        let globalID = globalID
        return SnapshotSync(
            sides: sides, onProgress: { progress in await self.progressed(progress) },
            onFirstPoint: {
                try await directory.setImage(replica.id, MirrorImage(globalID: globalID, state: .enabled))
                try await directory.notify(.imageUpdated(.enabled, id: replica.id, globalID: globalID))
            })
    }

    private func unlink(_ ids: [UInt64], _ remoteID: String) async throws {
        let header = ObjectNames.header(remoteID)
        for id in ids {
            do throws(CephError) {
                try await pair.remote.change(header, with: HeaderMethod.mirrorSnapshotUnlinkPeer(id, peer: pair.remotePeerUUID))
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        // Only a hint: who misses it looks by itself.
        _ = try? await pair.remote.notify(header, HeaderNotification.headerUpdate.encoded, timeout: .seconds(1))
    }
}

extension ImageHeader {
    /// Whether somebody asked for the replica to be made anew.
    func resyncRequested(mirrorUUID: String) -> Bool {
        guard let flag = metadata[".rbd_mirror.\(mirrorUUID)"],
            let json = try? JSONSerialization.jsonObject(with: Data(flag)) as? [String: Any] else { return false }
        return json["resync_requested"] as? Bool == true
    }
}

extension Bootstrap.Image {
    /// What to watch once it is not replayed any more.
    fileprivate var headers: HeaderVigil.Headers { .init(local: localID, remote: remoteID, isJournaled: mode == .journal) }
}
