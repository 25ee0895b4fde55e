internal import CephCore
internal import Glibc
public import Logging
internal import RBDImage
public import Replication
public import ServiceLifecycle

/// Mirrors the RBD images of a site's pools from their peers: the engine behind the `rbd-mirror` daemon.
///
///     let mirror = RBDMirror(RBDMirrorConfiguration(cluster: .init(.named("site-b"), as: "client.rbd-mirror.b")), logger: logger)
///     try await ServiceGroup(services: [mirror], gracefulShutdownSignals: [.sigterm], logger: logger).run()
///
/// Follows pools, peers and images while they change. Interchangeable with the stock daemon at any moment.
public actor RBDMirror: Service {
    private let configuration: RBDMirrorConfiguration
    private let logger: Logger
    private let memory: BufferPool
    private var pools: [PoolKey: PoolReplayer] = [:]
    private let onConnect: @Sendable () throws -> Void
    private let reportNeeded = WakeSignal()
    private nonisolated let hub = EventHub()

    /// What happens from now on: status changes, syncs, lost peers. A slow reader loses the oldest and is told how many.
    public nonisolated var events: EventHub.Events { hub.events() }

    private struct PoolKey: Hashable {
        let pool: Int64
        let peer: String
    }

    /// - Parameter onConnect: Called once the own cluster has answered; an error it throws ends ``run()``.
    public init(
        _ configuration: RBDMirrorConfiguration, logger: Logger, onConnect: @escaping @Sendable () throws -> Void = {}
    ) {
        self.configuration = configuration
        self.onConnect = onConnect
        self.logger = logger
        memory = BufferPool(budget: configuration.memoryBudget)
    }

    /// Serves until the task is cancelled or a graceful shutdown begins.
    ///
    /// - Throws: ``CephError`` when the own cluster cannot be connected to at the start.
    public func run() async throws {
        guard let base = try await connect() else { return }
        let fsid = try base.cluster.fsid()
        logger.info("serving", metadata: ["ceph.fsid": "\(fsid)", "service": "\(base.cluster.globalID)"])
        try await base.register()
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await self.followPools(base) }
                group.addTask { await self.report(base) }
            }
        }
        logger.info("stopping")
        let replayers = Array(pools.values)
        do {
            try await withDeadline(.seconds(8), for: "stopping") {
                await withTaskGroup { group in
                    for replayer in replayers { group.addTask { await replayer.stop() } }
                }
            }
        } catch {
            logger.warning("some images did not stop in time; their locks are left to be fenced", metadata: ["error": "\(error)"])
        }
        pools = [:]
        await base.shutdown()
        logger.info("stopped")
    }

    /// Connects; nil when the end came first.
    private func connect() async throws -> ServiceClient? {
        do {
            let base = try await cancelWhenGracefulShutdown { try await ServiceClient.connect(self.configuration) }
            try onConnect()
            return base
        } catch let error as CephError where error.code == ECANCELED {
            logger.info("stopped before the cluster answered")
            return nil
        }
    }

    /// The pools that are served, with their images.
    public func pools() async -> [PoolReport] {
        var reports: [PoolReport] = []
        for replayer in pools.values { reports.append(await replayer.report()) }
        return reports.sorted { ($0.pool, $0.peerSite) < ($1.pool, $1.peerSite) }
    }

    /// Carries out an operator's command.
    ///
    /// - Throws: ``MirrorCommandError`` when this daemon does not serve what it is about.
    public func perform(_ command: MirrorCommand, on scope: MirrorScope) async throws {
        switch scope.kind {
        case .everything:
            for replayer in pools.values { try await replayer.perform(command) }
        case .pool(let name, let site):
            let matching = pools.values.filter { $0.poolName == name && $0.peer.siteName == site }
            if matching.isEmpty { throw MirrorCommandError.notServed("pool \(name) from \(site)") }
            for replayer in matching { try await replayer.perform(command) }
        case .image(let spec):
            for replayer in pools.values {
                guard let image = await replayer.image(spec) else { continue }
                return await image.perform(command)
            }
            throw MirrorCommandError.notServed("image \(spec)")
        }
    }

    private func followPools(_ base: ServiceClient) async {
        while !Task.isCancelled {
            do { try await scan(base) } catch {
                logger.warning("cannot look at the pools", metadata: ["error": "\(error)"])
                if (error as? CephError)?.isBlocklisted == true, await replace(base) { continue }
            }
            try? await Task.sleep(for: configuration.refreshInterval)
        }
    }

    /// Whether a new client has taken the place of one that was fenced.
    private func replace(_ base: ServiceClient) async -> Bool {
        do { try await base.replace(logger) } catch {
            logger.warning("cannot connect anew", metadata: ["error": "\(error)"])
            return false
        }
        return true
    }

    private func scan(_ base: ServiceClient) async throws {
        var wanted: [PoolKey: (name: String, peer: MirrorPeer)] = [:]
        var unread: Set<Int64> = []
        for pool in await PoolListing.read(try await base.cluster.pools(), in: base.cluster) {
            do {
                for peer in try pool.peers.get() { wanted[PoolKey(pool: pool.id, peer: peer.uuid)] = (pool.name, peer) }
            } catch {
                if (error as? CephError)?.isBlocklisted == true { throw error }
                logger.warning("cannot look at a pool", metadata: ["ceph.pool": "\(pool.name)", "error": "\(error)"])
                unread.insert(pool.id)
            }
        }
        // Of a pool that does not answer nothing new is known.
        for key in pools.keys where unread.contains(key.pool) { wanted[key] = (pools[key]!.poolName, pools[key]!.peer) }
        for (key, replayer) in pools where wanted[key] == nil {
            await replayer.stop()
            pools[key] = nil
        }
        for (key, entry) in wanted where pools[key] == nil {
            let replayer = PoolReplayer(
                poolID: key.pool, poolName: entry.name, peer: entry.peer, base: base, configuration: configuration,
                memory: memory, identity: .current(daemon: configuration.daemonID), events: hub, logger: logger,
                onReport: { [reportNeeded] in reportNeeded.signal() })
            pools[key] = replayer
            await replayer.start()
        }
        reportNeeded.signal()
    }

    /// Keeps the daemon's entry in the service map current, at most once a second.
    private func report(_ base: ServiceClient) async {
        while (try? await reportNeeded.wait()) != nil {
            var status = ServiceStatus()
            for (key, replayer) in pools { status.pools[key.pool] = await replayer.summary() }
            do { try await base.cluster.updateServiceStatus(["json": status.json]) } catch {
                logger.warning("cannot update the service status", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
