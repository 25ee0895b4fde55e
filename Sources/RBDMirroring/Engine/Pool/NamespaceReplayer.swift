internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// Serves the images of one namespace of a pool: follows both sites' image lists, keeps a replayer for each
/// image that the leader assigned to it, and their statuses on both sites.
actor NamespaceReplayer: ImageOwner {
    nonisolated let pair: PoolPair
    private let logger: Logger
    private let onReport: @Sendable () -> Void
    private let onContactLost: @Sendable (ContactLoss) -> Void
    private let board: StatusBoard
    private let deletions: DeletionGuard
    private var deleter: Task<Void, Never>?
    private var share: ImageShare?
    /// Stopped by an operator.
    private var isHeld = false
    private var replayers: [String: ImageReplayer] = [:]
    private var localImages: Set<String> = []
    private var remoteImages: Set<String> = []
    private var watches: [Watch] = []
    private var listeners: [Task<Void, Never>] = []
    private var follower: Task<Void, Never>?
    private let changed = WakeSignal()

    init(
        pair: PoolPair, events: EventHub, logger: Logger, onReport: @escaping @Sendable () -> Void,
        onContactLost: @escaping @Sendable (ContactLoss) -> Void
    ) {
        self.pair = pair
        var logger = logger
        if !pair.local.namespace.isEmpty { logger[metadataKey: "ceph.namespace"] = "\(pair.local.namespace)" }
        self.logger = logger
        self.onReport = onReport
        self.onContactLost = onContactLost
        deletions = DeletionGuard(pair: pair)
        board = StatusBoard(
            local: StatusWriter(directory: MirrorDirectory(pair.local), mirrorUUID: ""),
            remote: StatusWriter(directory: MirrorDirectory(pair.remote), mirrorUUID: pair.localMirrorUUID),
            events: events, pool: pair.local)
    }

    /// Begins to write statuses; images come with ``serve(_:)``.
    func start() async throws {
        // A status counts as up only while its writer watches the object it is kept in.
        for pool in [pair.local, pair.remote] {
            let watch = try await pool.watch(MirrorDirectory.object)
            watches.append(watch)
            listeners.append(Task { for await _ in watch.events { changed.signal() } })
        }
        try await pair.localImages.removeDownStatuses()
        try await pair.remoteImages.removeDownStatuses()
        let board = board
        listeners.append(Task { await board.local.run() })
        listeners.append(Task { await board.remote.run() })
    }

    /// Follows the images of both sides and tells the share of them.
    func serve(_ share: ImageShare) {
        self.share = share
        follower = Task { await followImages(share) }
        let deleter = TrashDeleter(pair: pair, share: share, logger: logger)
        self.deleter = Task { await deleter.run() }
    }

    /// Ends what the share did not release; the statuses go down with the watches.
    func stop() async {
        follower?.cancel()
        deleter?.cancel()
        await follower?.value
        await stopReplayers()
        let deleter = deleter
        _ = try? await withDeadline(.seconds(2), for: "leaving the trash") { await deleter?.value }
        await board.finish()
        for listener in listeners { listener.cancel() }
        await withTaskGroup { group in
            for watch in watches { group.addTask { await watch.cancel(within: .seconds(2)) } }
        }
        for listener in listeners { await listener.value }
    }

    private func stopReplayers() async {
        let all = Array(replayers.values)
        await withTaskGroup { group in
            for replayer in all { group.addTask { await replayer.stop() } }
        }
        replayers = [:]
    }

    private func followImages(_ share: ImageShare) async {
        while !Task.isCancelled {
            let local = await images(pair.localImages)
            let there = pair.remoteImages
            let remote = try? await yieldingToCancellation { await self.images(there) }
            if Task.isCancelled { return }
            localImages = local ?? localImages
            remoteImages = (remote ?? nil) ?? remoteImages
            if let there = remote ?? nil { try? await deletions.release(there) }
            await share.imagesChanged(local: local, remote: remote ?? nil)
            for replayer in replayers.values { replayer.nudge() }
            onReport()
            let pause: Duration = local == nil || remote == .some(nil) ? .seconds(5) : .seconds(30)
            guard (try? await changed.wait(for: pause)) != nil else { return }
        }
    }

    /// Nil while the site cannot be asked.
    private func images(_ directory: MirrorDirectory) async -> Set<String>? {
        do throws(CephError) { return Set(try await directory.images().values) } catch {
            logger.warning("cannot list the mirrored images", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// The source's cluster does not answer, or answers again.
    func source(isSilent error: CephError?) async {
        for replayer in replayers.values {
            if let error { await replayer.sourceIsSilent(error) } else { replayer.nudge() }
        }
    }

    // MARK: What the leader asks for

    func acquire(globalID: String) async {
        guard replayers[globalID] == nil, let share else { return }
        let replayer = ImageReplayer(
            globalID: globalID, pair: pair, board: board, share: share, deletions: deletions, logger: logger,
            onContactLost: onContactLost)
        replayers[globalID] = replayer
        if !isHeld { await replayer.start() }
        onReport()
    }

    func release(globalID: String) async {
        guard let replayer = replayers[globalID] else { return }
        await replayer.stop()
        replayers[globalID] = nil
        if !localImages.contains(globalID), !remoteImages.contains(globalID) { await board.remove(globalID) }
        onReport()
    }

    func peerImageRemoved(globalID: String, mirrorUUID: String) async { replayers[globalID]?.nudge() }

    func contactLost(_ loss: ContactLoss) async {
        await stopReplayers()
        onContactLost(loss)
    }

    // MARK: Reporting

    /// The replayers and what they do.
    func entries() async -> [Report.Entry] {
        var entries: [Report.Entry] = []
        for replayer in replayers.values { entries.append(await replayer.entry()) }
        return entries.sorted { $0.subject.description < $1.subject.description }
    }

    func replayer(named name: String) async -> ImageReplayer? {
        for replayer in replayers.values where await replayer.entry().subject.description == name { return replayer }
        return nil
    }

    /// Carries out an operator's command on all images, those to come included.
    func perform(_ command: MirrorCommand) async {
        if command == .stop { isHeld = true }
        if command == .start || command == .restart { isHeld = false }
        let all = Array(replayers.values)
        await withTaskGroup { group in
            for replayer in all { group.addTask { await replayer.perform(command) } }
        }
    }

    /// Figures for the service status.
    struct Counts: Sendable {
        var assigned = 0
        var local = 0
        var remote = 0
        var errors = 0
        var warnings = 0
    }

    func counts() async -> Counts {
        var counts = Counts(assigned: replayers.count, local: localImages.count, remote: remoteImages.count)
        for replayer in replayers.values {
            switch await replayer.status.state {
            case .error: counts.errors += 1
            case .unknown: counts.warnings += 1
            default: break
            }
        }
        return counts
    }
}

extension Pool {
    /// The namespaces of an RBD pool.
    func namespaces() async throws(CephError) -> [String] {
        var names: [String] = []
        while true {
            let reply: [UInt8]
            do throws(CephError) {
                reply = try await call(NamespaceMethod.list(after: names.last ?? "", limit: 1024), on: ObjectNames.namespaces)
            } catch {
                guard error.isNotFound else { throw error }
                return names
            }
            let page: [String]
            do throws(WireError) {
                page = try Decoder.decode(reply, as: "namespace_list") { (d) throws(WireError) in
                    try d.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.string() }
                }
            } catch {
                throw .undecodable(error, operation: "namespace_list", subject: spec)
            }
            names += page
            if page.count < 1024 { return names }
        }
    }
}
