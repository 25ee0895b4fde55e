internal import CephCore
internal import Foundation
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
    let logger: Logger
    private let statuses: [StatusWriter]
    private let admit: any SyncAdmission
    private let wake = WakeSignal()
    private var task: Task<Void, Never>?
    private(set) var meter = ReplayMeter()
    private(set) var shown = StopDescription(.unknown, "")

    init(globalID: String, pair: PoolPair, statuses: [StatusWriter], admit: any SyncAdmission, logger: Logger) {
        self.globalID = globalID
        self.pair = pair
        self.statuses = statuses
        self.admit = admit
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

    /// Something changed that this image may depend on.
    nonisolated func nudge() { wake.signal() }

    func show(_ state: MirrorSiteStatus.State, _ text: String) async {
        let status = StopDescription(state, text)
        guard status != shown else { return }
        if status.state != shown.state { logger.info("\(state.name)", metadata: ["status": "\(text)"]) }
        shown = status
        for writer in statuses { await writer.set(globalID, state, text) }
    }

    private func serve() async {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(30))
        await show(.startingReplay, "starting replay")
        while !Task.isCancelled {
            do {
                let stop = try await attempt()
                await show(stop.state, stop.text)
                backoff.reset()
                _ = try await wake.wait(for: .seconds(30))
            } catch is CancellationError {
                break
            } catch {
                guard !Task.isCancelled else { break }
                let pause = backoff.next()
                logger.warning("replay failed", metadata: ["error": "\(error)", "retry.seconds": "\(pause.inSeconds)"])
                await show(.error, FailureDescription.text(for: error))
                // A change on either side may have removed the cause: do not sit the pause out.
                guard (try? await wake.wait(for: pause)) != nil else { break }
            }
        }
        await show(.stopped, "stopped")
    }

    /// One attempt from the beginning; returns why replaying ended.
    private func attempt() async throws -> StopDescription {
        switch try await Bootstrap(pair: pair, globalID: globalID, logger: logger).run() {
        case .stop(let description): return description
        case .replay(let localID, let remoteID, let isNew):
            let replica = try await ReplicaImage.open(
                localID, in: pair.local, ids: pair.resources.snapshotIDs, identity: pair.resources.identity)
            return try await replay(replica, remoteID, isNew: isNew)
        }
    }

    private func replay(_ replica: ReplicaImage, _ remoteID: String, isNew: Bool) async throws -> StopDescription {
        let watch: Watch
        do { watch = try await pair.remote.watch(ObjectNames.header(remoteID)) } catch {
            await replica.close()
            throw error
        }
        let promotion = Box<CephCore.Notification?>(nil)
        let work = Task { try await follow(replica, remoteID, isNew: isNew) }
        let listeners = [
            Task { await listen(replica.lock, promotion, work) },
            Task { for await _ in watch.events { wake.signal() } },
        ]
        let result = await withTaskCancellationHandler { await work.result } onCancel: { work.cancel() }
        if let notification = promotion.value {
            logger.notice("forced promotion: letting go of the image")
            try? await replica.lock.yield(to: notification)
        }
        for listener in listeners { listener.cancel() }
        await replica.close()
        await watch.cancel()
        if promotion.value != nil { return StopDescription(.forcePromoting) }
        return try result.get()
    }

    private func listen(_ lock: ImageLock, _ promotion: Box<CephCore.Notification?>, _ work: Task<StopDescription, any Error>) async {
        for await event in lock.events {
            switch event {
            case .headerUpdated:
                try? await lock.renew()
                wake.signal()
            case .promotionRequested(let notification):
                promotion.value = notification
                work.cancel()
            case .lost(let error):
                logger.warning("lost the image's watch", metadata: ["error": "\(error)"])
                work.cancel()
            }
        }
    }

    /// Plans and performs until there is a reason to stop.
    private func follow(_ replica: ReplicaImage, _ remoteID: String, isNew: Bool) async throws -> StopDescription {
        var isNew = isNew
        var source = try await SourceImage.load(remoteID, in: pair.remote)
        while true {
            try Task.checkCancellation()
            source = try await source.reloaded()
            let local = try await replica.refresh()
            let plan = SnapshotPlanner.plan(local: local.snapshots, remote: source.header.snapshots, context: context(local))
            logger.debug("plan", metadata: ["plan": "\(plan)"])
            meter.observe(local: local, source: source.header, pair)
            switch plan {
            case .stop(let reason): return StopDescription(reason)
            case .idle, .wait:
                await show(.replaying, meter.description(isSyncing: false))
                _ = try await wake.wait(for: .seconds(30))
            case .prune(let ids):
                for id in ids { try await replica.removeSnapshot(id) }
                try await replica.notifyHeaderUpdate()
            case .unlink(let ids): try await unlink(ids, remoteID)
            case .seal(let id): try await sync(replica, source, isNew: false).seal(id)
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

    private func context(_ local: ImageHeader) -> SnapshotPlanContext {
        let key = ".rbd_mirror.\(pair.localMirrorUUID)"
        let flag = local.metadata[key].map { String(decoding: $0, as: UTF8.self) } ?? ""
        return SnapshotPlanContext(
            localMirrorUUID: pair.localMirrorUUID, remoteMirrorUUID: pair.remoteMirrorUUID,
            remotePeerUUID: pair.remotePeerUUID, localPeerUUIDs: pair.localPeerUUIDs,
            resyncRequested: flag.replacingOccurrences(of: " ", with: "").contains("\"resync_requested\":true"))
    }

    private func perform(_ replica: ReplicaImage, _ step: @Sendable () async throws -> CopyProgress) async throws {
        let permit = try await admit.request(replica.id)
        let started = ContinuousClock.now
        meter.began()
        do {
            let progress = try await step()
            await permit.finish()
            let seconds = started.duration(to: .now).inSeconds
            meter.ended(progress, seconds: seconds)
            logger.info("synced", metadata: [
                "bytes": "\(progress.bytesRead)", "objects": "\(progress.objectsTotal)", "seconds": "\(seconds)",
            ])
        } catch {
            meter.failed()
            await permit.finish()
            throw error
        }
    }

    private func progressed(_ progress: CopyProgress) async {
        if meter.progressed(progress) { await show(.replaying, meter.description(isSyncing: true)) }
    }

    private func sync(_ replica: ReplicaImage, _ source: SourceImage, isNew: Bool) -> SnapshotSync {
        let sides = SyncSides(
            replica: replica, source: source, globalID: globalID, sourceMirrorUUID: pair.remoteMirrorUUID,
            localPeers: pair.transmitPeers, memory: pair.resources.memory, limits: pair.resources.limits, isNewImage: isNew)
        let pair = pair
        let globalID = globalID
        return SnapshotSync(sides: sides, onProgress: { progress in
            Task { await self.progressed(progress) }
        }, onFirstPoint: {
            try await pair.localImages.setImage(replica.id, MirrorImage(globalID: globalID, state: .enabled))
            try await pair.localImages.notify(.imageUpdated(.enabled, id: replica.id, globalID: globalID))
        })
    }

    private func unlink(_ ids: [UInt64], _ remoteID: String) async throws {
        for id in ids {
            do throws(CephError) {
                try await pair.remote.change(ObjectNames.header(remoteID), with: HeaderMethod.mirrorSnapshotUnlinkPeer(
                    id, peer: pair.remotePeerUUID))
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        try await pair.remote.notify(ObjectNames.header(remoteID), HeaderNotification.headerUpdate.encoded)
    }
}

/// A value that two tasks pass on.
final class Box<Value: Sendable>: Sendable {
    private let locked: Locked<Value>
    init(_ value: Value) { locked = Locked(value) }
    var value: Value {
        get { locked.withLock { $0 } }
        set { locked.withLock { $0 = newValue } }
    }
}

extension MirrorSiteStatus.State {
    /// The word stock tools print.
    var name: String {
        switch self {
        case .error: "error"
        case .syncing: "syncing"
        case .startingReplay: "starting_replay"
        case .replaying: "replaying"
        case .stoppingReplay: "stopping_replay"
        case .stopped: "stopped"
        default: "unknown"
        }
    }
}
