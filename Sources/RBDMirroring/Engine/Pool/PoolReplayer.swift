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
    private let base: Cluster
    private let configuration: RBDMirrorConfiguration
    private let memory: BufferPool
    private let identity: String
    private let logger: Logger
    private let onReport: @Sendable () -> Void
    private var task: Task<Void, Never>?
    private var namespaces: [String: NamespaceReplayer] = [:]
    private var localClient: Cluster?
    private(set) var callouts: [PoolCallout] = []

    init(
        poolID: Int64, poolName: String, peer: MirrorPeer, base: Cluster, configuration: RBDMirrorConfiguration,
        memory: BufferPool, identity: String, logger: Logger, onReport: @escaping @Sendable () -> Void
    ) {
        self.poolID = poolID
        self.poolName = poolName
        self.peer = peer
        self.base = base
        self.configuration = configuration
        self.memory = memory
        self.identity = identity
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
        var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
        while !Task.isCancelled {
            do {
                try await connected()
                backoff.reset()
            } catch is CancellationError {
                break
            } catch {
                if Task.isCancelled { break }
                let pause = backoff.next()
                logger.warning("cannot serve the pool", metadata: ["error": "\(error)", "retry.seconds": "\(pause.inSeconds)"])
                report([PoolCallout(level: .error, text: Self.callout(for: error))])
                try? await Task.sleep(for: pause)
            }
        }
    }

    private static func callout(for error: any Error) -> String {
        guard let error = error as? CephError else { return "\(error)" }
        return error.isPermissionDenied ? "client does not have permission: \(error)" : "unable to connect to remote cluster: \(error)"
    }

    private func report(_ callouts: [PoolCallout]) {
        guard callouts != self.callouts else { return }
        self.callouts = callouts
        onReport()
    }

    private func connected() async throws {
        let local = try await Cluster.connect(configuration.cluster)
        let remote: Cluster
        do { remote = try await PeerConnection(base: base, configuration: configuration).connect(peer, poolID: poolID) } catch {
            await local.shutdown()
            throw error
        }
        localClient = local
        logger.info("connected", metadata: ["instance": "\(local.globalID)"])
        var failure: (any Error)?
        do { try await serve(local, remote) } catch { failure = error }
        for replayer in namespaces.values { await replayer.stop() }
        namespaces = [:]
        localClient = nil
        await remote.shutdown()
        await local.shutdown()
        if let failure { throw failure }
    }

    private func serve(_ local: Cluster, _ remote: Cluster) async throws {
        let localPool = try await local.pool(id: poolID)
        let remotePool = try await remote.pool(poolName)
        let siteName = try await PeerConnection.siteName(of: base)
        let ids = SnapshotIDs(pool: localPool)
        var misses = 0
        while true {
            do {
                let pair = try await ping(localPool, remotePool, siteName, ids)
                misses = 0
                report([])
                try await follow(pair)
            } catch {
                try Task.checkCancellation()
                misses += 1
                report([PoolCallout(level: .error, text: Self.callout(for: error))])
                logger.warning("peer does not answer", metadata: ["error": "\(error)"])
                if (error as? CephError)?.isBlocklisted == true { throw error }
            }
            onReport()
            try await Task.sleep(for: misses == 0 ? .seconds(30) : .seconds(2))
        }
    }

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
                memory: memory, limits: CopyLimits(objectsInFlight: configuration.objectsInFlight), identity: identity,
                snapshotIDs: ids))
    }

    /// Starts and ends namespace replayers as mirroring is switched on and off.
    private func follow(_ pair: PoolPair) async throws {
        var wanted: [String: PoolPair] = [:]
        for namespace in try await pair.local.namespaces() + [""] {
            let view = try pair.inNamespace(namespace)
            let localMode = try await view.localImages.mode()
            let remoteMode = try await view.remoteImages.mode()
            if localMode != .disabled, remoteMode != .disabled { wanted[namespace] = view }
        }
        for (namespace, replayer) in namespaces where wanted[namespace]?.identity != replayer.pairIdentity {
            await replayer.stop()
            namespaces[namespace] = nil
        }
        for (namespace, view) in wanted where namespaces[namespace] == nil {
            let replayer = NamespaceReplayer(pair: view, configuration: configuration, logger: logger, onReport: onReport)
            namespaces[namespace] = replayer
            try await replayer.start()
        }
    }

    /// What the daemon's service status says of this pool.
    func summary() async -> PoolSummary {
        var images: [String: NamespaceReplayer.Counts] = [:]
        for (namespace, replayer) in namespaces { images[namespace] = await replayer.counts() }
        return PoolSummary(
            poolID: poolID, name: poolName, callouts: callouts, instanceID: localClient.map { "\($0.globalID)" },
            isLeader: !namespaces.isEmpty, counts: images)
    }
}

/// Something an operator should know of a pool.
struct PoolCallout: Hashable, Sendable {
    enum Level: String, Sendable { case warning, error }
    let level: Level
    let text: String
}

/// One pool in the daemon's service status.
struct PoolSummary: Sendable {
    let poolID: Int64
    let name: String
    let callouts: [PoolCallout]
    let instanceID: String?
    let isLeader: Bool
    let counts: [String: NamespaceReplayer.Counts]
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
