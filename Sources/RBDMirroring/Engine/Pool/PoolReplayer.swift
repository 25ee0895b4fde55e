internal import CephCore
internal import Foundation
internal import Logging
internal import RBDImage
internal import Replication
internal import SnapshotDelta

/// Serves one pool for one peer: connections, the peer's ping, and a replayer for each namespace.
///
/// Connects anew with fresh clients whenever the old ones cannot go on (fenced, or the peer was away).
actor PoolReplayer {
    let poolID: Int64
    let poolName: String
    let peer: MirrorPeer
    private let base: ServiceClient
    private let configuration: RBDMirrorConfiguration
    private let memory: BufferPool
    private let identity: DaemonIdentity
    /// Why the present connection is of no use any more; each has its own, for what is left of an old one may still complain.
    private var loss = Locked<ContactLoss?>(nil)
    private var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
    private let again = WakeSignal()
    private var cooperator: Cooperator?
    private var snapshotIDs: SnapshotIDs?
    private let events: EventHub
    private let logger: Logger
    private let onReport: @Sendable () -> Void
    private var task: Task<Void, Never>?
    private var namespaces: [String: NamespaceReplayer] = [:]
    private var localClient: Cluster?
    private(set) var callouts: [ServiceStatus.Callout] = []

    init(
        poolID: Int64, poolName: String, peer: MirrorPeer, base: ServiceClient, configuration: RBDMirrorConfiguration,
        memory: BufferPool, identity: DaemonIdentity, events: EventHub, logger: Logger,
        onReport: @escaping @Sendable () -> Void
    ) {
        self.poolID = poolID
        self.poolName = poolName
        self.peer = peer
        self.base = base
        self.configuration = configuration
        self.memory = memory
        self.identity = identity
        self.events = events
        self.onReport = onReport
        var logger = logger
        logger[metadataKey: "ceph.pool"] = "\(poolName)"
        logger[metadataKey: "ceph.peer"] = "\(peer.siteName)"
        self.logger = logger
    }

    func start() { task = Task { await serve() } }

    func stop() async {
        task?.cancel()
        await task?.value
    }

    private func serve() async {
        while !Task.isCancelled {
            do { try await connected() } catch {
                if Task.isCancelled { break }
                let pause = backoff.next()
                logger.warning("cannot serve the pool", metadata: ["error": "\(error)", "retry.seconds": "\(pause.inSeconds)"])
                report([ServiceStatus.Callout(level: .error, text: callout(for: error))])
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func callout(for error: any Error) -> String {
        guard let error = error as? CephError else { return "\(error)" }
        if error.isPermissionDenied { return "client does not have permission: \(error)" }
        if error.isNotFound { return "pool \(poolName) does not exist at site \(peer.siteName), or is not mirrored there: \(error)" }
        return "unable to connect to remote cluster: \(error)"
    }

    private func report(_ callouts: [ServiceStatus.Callout]) {
        guard callouts != self.callouts else { return }
        self.callouts = callouts
        onReport()
    }

    /// Connects to both sites and serves until something ends that; leaves nothing open.
    private func connected() async throws {
        let local = try await Cluster.connect(configuration.cluster)
        let remote: Cluster
        do { remote = try await PeerConnection(base: base.cluster, configuration: configuration).connect(peer, poolID: poolID) } catch {
            await local.shutdown()
            throw error
        }
        localClient = local
        logger.info("connected", metadata: ["instance": "\(local.globalID)"])
        let result: Result<Void, any Error>
        do {
            // A silent peer must not hold up the end.
            result = .success(try await yieldingToCancellation { try await self.serve(local, remote) })
        } catch { result = .failure(error) }
        // A task of its own: leaving in good order must not be cut short by the cancellation that led here.
        await Task { await leave(local, remote) }.value
        try result.get()
    }

    private func leave(_ local: Cluster, _ remote: Cluster) async {
        await cooperator?.stop(within: .seconds(6))
        cooperator = nil
        for replayer in namespaces.values { await replayer.stop() }
        namespaces = [:]
        localClient = nil
        let ids = snapshotIDs
        snapshotIDs = nil
        _ = try? await withDeadline(.seconds(2), for: "giving snapshot ids back") { await ids?.drain() }
        await remote.shutdown(within: .seconds(1))
        await local.shutdown(within: .seconds(1))
    }

    private func serve(_ local: Cluster, _ remote: Cluster) async throws {
        let localPool = try await local.pool(id: poolID)
        let remotePool = try await remote.pool(poolName)
        let siteName = try await PeerConnection.siteName(of: base.cluster)
        let ids = SnapshotIDs()
        snapshotIDs = ids
        let loss = Locked<ContactLoss?>(nil)
        self.loss = loss
        let probe = Task { await watchOver(remotePool, loss) }
        defer { probe.cancel() }
        var pauses = Backoff(first: .seconds(1), longest: .seconds(30))
        while loss.withLock({ $0 }) == nil {
            var pause = Duration.seconds(30)
            do {
                let pair = try await ping(localPool, remotePool, siteName, ids)
                try await follow(pair)
                backoff.reset()
                pauses.reset()
                report([])
            } catch {
                try Task.checkCancellation()
                if (error as? CephError)?.isBlocklisted == true || error is PairChanged { throw error }
                // One that was deleted and made anew under its name is not found by its old id.
                if let present = try? await remote.pool(poolName), present.id != remotePool.id { throw PairChanged() }
                report([ServiceStatus.Callout(level: .error, text: callout(for: error))])
                logger.warning("peer does not answer", metadata: ["error": "\(error)"])
                pause = pauses.next()
            }
            _ = try await again.wait(for: pause)
        }
        throw ContactLost(loss: loss.withLock { $0 } ?? .silence)
    }

    /// Asks the peer for a sign of life: an idle image would not notice for long that its source is gone.
    ///
    /// A client that the peer has fenced is of no use any more.
    private func watchOver(_ remote: Pool, _ loss: Locked<ContactLoss?>) async {
        var wasSilent = false
        while (try? await Task.sleep(for: configuration.probeInterval)) != nil {
            do throws(CephError) {
                _ = try await remote.exists(MirrorDirectory.object)
                if wasSilent { for replayer in namespaces.values { await replayer.source(isSilent: nil) } }
                wasSilent = false
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("the peer does not answer", metadata: ["error": "\(error)"])
                if error.isBlocklisted {
                    loss.withLock { $0 = .blocklisted }
                    again.signal()
                }
                wasSilent = true
                for replayer in namespaces.values { await replayer.source(isSilent: error) }
            }
        }
    }

    private struct ContactLost: Error, CustomStringConvertible {
        let loss: ContactLoss
        var description: String { "lost contact to the other daemons: \(loss)" }
    }

    /// The peer relation is another one than before: begin anew.
    private struct PairChanged: Error {}

    /// Makes ourselves known on the other side and learns how it calls us.
    private func ping(_ local: Pool, _ remote: Pool, _ siteName: String, _ ids: SnapshotIDs) async throws -> PoolPair {
        let here = MirrorDirectory(local)
        let there = MirrorDirectory(remote)
        guard let localUUID = try await here.uuid(), let remoteUUID = try await there.uuid() else {
            throw CephError(code: ENOENT, operation: "mirror_uuid_get", subject: "\(remote.spec) (mirroring is not enabled)")
        }
        try await there.ping(siteName: siteName, mirrorUUID: localUUID)
        let candidates = try await there.peers().filter { $0.direction != .receive }
        let ours = candidates.first { $0.mirrorUUID == localUUID } ?? candidates.first { $0.siteName == siteName }
        let localPeers = try await here.peers()
        let site = localPeers.filter { $0.mirrorUUID == remoteUUID || $0.siteName == peer.siteName }
        return PoolPair(
            local: local, remote: remote, localMirrorUUID: localUUID, remoteMirrorUUID: remoteUUID,
            remotePeerUUID: ours?.uuid ?? "", localPeerUUIDs: Set(site.map(\.uuid)),
            transmitPeers: Set(localPeers.filter { $0.direction != .receive }.map(\.uuid)),
            resources: SharedResources(
                memory: memory, limits: CopyLimits(objectsInFlight: configuration.objectsInFlight), identity: identity.description,
                snapshotIDs: ids, journals: configuration.journals))
    }

    /// Starts and ends namespace replayers as mirroring is switched on and off.
    private func follow(_ pair: PoolPair) async throws {
        if let current = namespaces[""], current.pair.identity != pair.identity { throw PairChanged() }
        do { try await KnownSource(pair: pair).remember() } catch {
            logger.info("the source's cluster is not noted yet", metadata: ["error": "\(error)"])
        }
        if cooperator == nil {
            let cooperator = Cooperator(
                pool: pair.local, configuration: configuration.cooperation ?? .init(optionsOf: pair.local.cluster),
                identity: identity, logger: logger)
            self.cooperator = cooperator
            let replayer = try await begin(pair)
            await replayer.serve(try await cooperator.start(replayer))
        }
        var wanted: [String: PoolPair] = [:]
        for namespace in try await pair.local.namespaces() {
            let view = try pair.inNamespace(namespace)
            let localMode = try await view.localImages.mode()
            let remoteMode = try await view.remoteImages.mode()
            if localMode != .disabled, remoteMode != .disabled { wanted[namespace] = view }
        }
        for (namespace, replayer) in namespaces where !namespace.isEmpty && wanted[namespace] == nil {
            await cooperator?.leave(namespace)
            await replayer.stop()
            namespaces[namespace] = nil
        }
        for (namespace, view) in wanted where namespaces[namespace] == nil {
            let replayer = try await begin(view)
            if let share = try await cooperator?.join(namespace, replayer) { await replayer.serve(share) }
        }
    }

    private func begin(_ pair: PoolPair) async throws -> NamespaceReplayer {
        let loss = loss
        let again = again
        let replayer = NamespaceReplayer(pair: pair, events: events, logger: logger, onReport: onReport) { reason in
            loss.withLock { $0 = reason }
            again.signal()
        }
        namespaces[pair.local.namespace] = replayer
        try await replayer.start()
        return replayer
    }

    func report() async -> PoolReport {
        var entries: [String: [Report.Entry]] = [:]
        for (namespace, replayer) in namespaces { entries[namespace] = await replayer.entries() }
        return PoolReport(
            pool: poolName, peerUUID: peer.uuid, peerSite: peer.siteName, peerClient: peer.clientName,
            instanceID: localClient.map { "\($0.globalID)" }, leaderID: cooperator?.leader,
            isLeader: cooperator?.isLeader ?? false, instances: await cooperator?.instances ?? [],
            concurrentSyncs: cooperator?.concurrentSyncs ?? 0, namespaces: entries,
            callouts: callouts.map { Report.Callout(level: .init(rawValue: $0.level.rawValue), reason: .failed, text: $0.text) })
    }

    func image(_ spec: String) async -> ImageReplayer? {
        for replayer in namespaces.values { if let image = await replayer.replayer(named: spec) { return image } }
        return nil
    }

    func perform(_ command: MirrorCommand) async throws {
        if command == .releaseLeader {
            guard let cooperator, cooperator.isLeader else { throw MirrorCommandError(description: "this daemon does not lead pool \(poolName)") }
            await cooperator.releaseLeadership()
            return
        }
        for replayer in namespaces.values { await replayer.perform(command) }
    }

    /// What the daemon's service status says of this pool.
    func summary() async -> ServiceStatus.Pool {
        var counts: [String: NamespaceReplayer.Counts] = [:]
        for (namespace, replayer) in namespaces { counts[namespace] = await replayer.counts() }
        let numbered = callouts.enumerated().map { (UInt64($0.offset + 1), $0.element) }
        let sizes = counts.mapValues { ServiceStatus.Counts(local: UInt64($0.local), remote: UInt64($0.remote)) }
        return ServiceStatus.Pool(
            name: poolName, callouts: Dictionary(uniqueKeysWithValues: numbered), instanceID: localClient.map { "\($0.globalID)" },
            isLeader: cooperator?.isLeader, assigned: counts.values.reduce(0) { $0 + UInt64($1.assigned) },
            errors: counts.values.reduce(0) { $0 + UInt64($1.errors) },
            warnings: counts.values.reduce(0) { $0 + UInt64($1.warnings) }, counts: sizes[""],
            namespaces: sizes.filter { !$0.key.isEmpty })
    }
}

extension PoolPair {
    func inNamespace(_ namespace: String) throws(CephError) -> PoolPair {
        PoolPair(
            local: try local.inNamespace(namespace), remote: try remote.inNamespace(namespace),
            localMirrorUUID: localMirrorUUID, remoteMirrorUUID: remoteMirrorUUID, remotePeerUUID: remotePeerUUID,
            localPeerUUIDs: localPeerUUIDs, transmitPeers: transmitPeers, resources: resources)
    }

    /// What must stay the same for replayers to go on.
    var identity: [String] {
        [localMirrorUUID, remoteMirrorUUID, remotePeerUUID] + localPeerUUIDs.sorted() + transmitPeers.sorted()
    }
}
