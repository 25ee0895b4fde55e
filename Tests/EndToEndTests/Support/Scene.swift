import CephSandbox
import Synchronization
import TestSupport
import Testing

/// A pool that is mirrored between the two shared clusters, for one test.
struct Scene: Sendable {
    let siteA: Site
    let siteB: Site
    private let pair: SandboxPair
    private let daemons = Started()

    fileprivate init(_ pair: SandboxPair, pool: String, namespace: String) {
        self.pair = pair
        siteA = Site(pair.siteA, pool: pool, namespace: namespace)
        siteB = Site(pair.siteB, pool: pool, namespace: namespace)
    }

    private final class Started: Sendable {
        let list = Mutex<[MirrorDaemon]>([])
        let stock = Mutex<[SandboxDaemon]>([])
        let pools = Mutex<[(site: Site, pool: String)]>([])
    }

    var sites: [Site] { [siteA, siteB] }

    func other(than site: Site) -> Site { site.name == siteA.name ? siteB : siteA }

    /// Starts our daemon on a site; it is killed at the end of the scene.
    func startDaemon(on site: Site, _ instance: String = "ours", options: [String] = []) async throws -> MirrorDaemon {
        let daemon = try await MirrorDaemon.start(on: site.cluster, instance, options: options)
        daemons.list.withLock { $0.append(daemon) }
        return daemon
    }

    /// Starts the stock daemon on a site; it is stopped at the end of the scene.
    func startStock(on site: Site, _ instance: String = "stock", options: [String: String] = [:]) async throws -> SandboxDaemon {
        let daemon = try await site.cluster.startRBDMirror(instance, options: options)
        daemons.stock.withLock { $0.append(daemon) }
        return daemon
    }

    /// Makes a pool beside the scene's own on a site; it is removed at the end of the scene.
    func addPool(_ pool: String, on site: Site) async throws {
        daemons.pools.withLock { $0.append((site, pool)) }
        try await site.cluster.createPool(pool)
    }

    /// Makes another mirrored pool on both sites; it is removed at the end of the scene.
    func addMirroredPool(_ pool: String) async throws {
        daemons.pools.withLock { $0 += sites.map { ($0, pool) } }
        try await pair.addMirroredPool(pool)
    }

    /// Makes a mirrored namespace in the scene's pool on both sites.
    func addMirroredNamespace(_ namespace: String) async throws {
        for var site in sites {
            site.namespace = namespace
            try await site.addNamespace()
        }
    }

    fileprivate func report() {
        for daemon in daemons.list.withLock({ $0 }).suffix(3) { print("== \(daemon.log)\n\(daemon.logTail())") }
        for daemon in daemons.stock.withLock({ $0 }) { print("== \(daemon.name)\n\(daemon.logTail(lines: 40))") }
    }

    fileprivate func close() async throws {
        for daemon in daemons.list.withLock({ $0 }) { try await daemon.kill() }
        for daemon in daemons.stock.withLock({ $0 }) { try await daemon.stop() }
        for site in sites { await site.client.close() }
        for (site, pool) in sites.map({ ($0, $0.pool) }) + daemons.pools.withLock({ $0 }) {
            try await site.cluster.removePool(pool)
        }
    }
}

/// Maps change at once and killed clients are missed soon, so that a test does not wait for the clocks of a cluster.
private let pairConfiguration = SandboxPair.Configuration(
    SandboxConfiguration(managerModules: [], options: [
        "paxos_propose_interval": "0.05", "osd_snap_trim_sleep_hdd": "0", "osd_client_watch_timeout": "8",
        "mgr_service_beacon_grace": "15",
        // The memory store crashes where snapshots are trimmed beside writes.
        "osd_op_num_shards": "1", "osd_op_num_threads_per_shard": "1",
    ]), pools: [])

/// Which releases of Ceph the two clusters are of.
enum Releases: Sendable {
    /// The machine's own on both.
    case same
    /// The machine's own on site A, the one of ``Knobs/newer`` on site B.
    case newerOnB

    fileprivate var pair: SandboxPair.Configuration {
        var configuration = pairConfiguration
        if self == .newerOnB, let folder = Knobs.newer { configuration.siteB.binaries = .chroot(folder) }
        return configuration
    }
}

/// Lends a freshly mirrored pool, or a namespace of one, to a test and clears it away; a failure shows the seed and the
/// daemons' logs.
///
/// - Returns: Whether the test passed so far.
@discardableResult
nonisolated(nonsending)
func withScene(
    _ pool: String, namespace: String = "", releases: Releases = .same, _ body: (Scene) async throws -> Void
) async throws -> Bool {
    let pair = try await SandboxPair.shared(releases.pair)
    try await pair.addMirroredPool(pool)
    let scene = Scene(pair, pool: pool, namespace: namespace)
    var passed = true
    do {
        for site in scene.sites where !namespace.isEmpty { try await site.addNamespace() }
        try await body(scene)
    } catch {
        Issue.record("\(error)\nRepeat with \(SeededRandom.hint)")
        scene.report()
        // The test may have left them slow, which is not to make the next one fail.
        for site in scene.sites { try? await site.goAtFullSpeed() }
        passed = false
    }
    try await scene.close()
    return passed
}

extension Site {
    /// Makes the site's namespace and turns mirroring on in it; peers are the pool's.
    fileprivate func addNamespace() async throws {
        try await rbd("namespace", "create", container)
        try await rbd("mirror", "pool", "enable", container, "image")
    }
}
