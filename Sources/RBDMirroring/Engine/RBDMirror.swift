internal import CephCore
internal import Foundation
public import Logging
internal import RBDImage
internal import Replication
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
    private let reportNeeded = WakeSignal()

    private struct PoolKey: Hashable {
        let pool: Int64
        let peer: String
    }

    public init(_ configuration: RBDMirrorConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        memory = BufferPool(budget: configuration.memoryBudget)
    }

    /// Serves until the task is cancelled or a graceful shutdown begins.
    ///
    /// - Throws: ``CephError`` when the own cluster cannot be connected to at the start.
    public func run() async throws {
        let base = try await Cluster.connect(configuration.cluster)
        let fsid = try base.fsid()
        logger.info("serving", metadata: ["ceph.fsid": "\(fsid)", "service": "\(base.globalID)"])
        try await base.registerService("rbd-mirror", daemon: "\(base.globalID)", metadata: [
            "id": configuration.daemonID, "instance_id": "\(base.globalID)",
        ])
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await self.followPools(base) }
                group.addTask { await self.report(base) }
            }
        }
        logger.info("stopping")
        await withTaskGroup { group in
            for replayer in pools.values { group.addTask { await replayer.stop() } }
        }
        pools = [:]
        await base.shutdown()
        logger.info("stopped")
    }

    private func followPools(_ base: Cluster) async {
        while !Task.isCancelled {
            do { try await scan(base) } catch {
                logger.warning("cannot look at the pools", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: configuration.refreshInterval)
        }
    }

    private func scan(_ base: Cluster) async throws {
        var wanted: [PoolKey: (name: String, peer: MirrorPeer)] = [:]
        for (id, name) in try await base.pools() {
            let directory = MirrorDirectory(try await base.pool(id: id))
            guard try await directory.mode() != .disabled else { continue }
            for peer in try await directory.peers() where peer.direction != .transmit {
                wanted[PoolKey(pool: id, peer: peer.uuid)] = (name, peer)
            }
        }
        for (key, replayer) in pools where wanted[key] == nil {
            await replayer.stop()
            pools[key] = nil
        }
        for (key, entry) in wanted where pools[key] == nil {
            let replayer = PoolReplayer(
                poolID: key.pool, poolName: entry.name, peer: entry.peer, base: base, configuration: configuration,
                memory: memory, identity: "", logger: logger, onReport: { [reportNeeded] in reportNeeded.signal() })
            pools[key] = replayer
            await replayer.start()
        }
        reportNeeded.signal()
    }

    /// Keeps the daemon's entry in the service map current, at most once a second.
    private func report(_ base: Cluster) async {
        while (try? await reportNeeded.wait()) != nil {
            var status: [String: Any] = [:]
            for replayer in pools.values {
                let summary = await replayer.summary()
                status["\(summary.poolID)"] = summary.json
            }
            if let data = try? JSONSerialization.data(withJSONObject: status, options: [.sortedKeys]) {
                try? await base.updateServiceStatus(["json": String(decoding: data, as: UTF8.self)])
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}

extension PoolSummary {
    var json: [String: Any] {
        var callouts: [String: Any] = [:]
        for (index, callout) in self.callouts.enumerated() {
            callouts["\(index + 1)"] = ["level": callout.level.rawValue, "text": callout.text]
        }
        var json: [String: Any] = ["name": name, "callouts": callouts]
        if let instanceID {
            json["instance_id"] = instanceID
            json["leader"] = isLeader
        }
        let own = counts[""]
        json["image_assigned_count"] = counts.values.reduce(0) { $0 + $1.assigned }
        json["image_error_count"] = counts.values.reduce(0) { $0 + $1.errors }
        json["image_warning_count"] = counts.values.reduce(0) { $0 + $1.warnings }
        json["image_local_count"] = own?.local ?? 0
        json["image_remote_count"] = own?.remote ?? 0
        let others = counts.filter { !$0.key.isEmpty }
        if !others.isEmpty {
            json["namespaces"] = others.mapValues { ["image_local_count": $0.local, "image_remote_count": $0.remote] }
        }
        return json
    }
}
