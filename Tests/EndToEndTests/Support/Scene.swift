import CephSandbox
import Synchronization
import TestSupport
import Testing

/// A pool that is mirrored between the two shared clusters, for one test.
struct Scene: Sendable {
    let siteA: Site
    let siteB: Site
    private let daemons = Started()

    private final class Started: Sendable {
        let list = Mutex<[MirrorDaemon]>([])
        let stock = Mutex<[SandboxDaemon]>([])
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
    func startStock(on site: Site, _ instance: String = "stock") async throws -> SandboxDaemon {
        let daemon = try await site.cluster.startRBDMirror(instance)
        daemons.stock.withLock { $0.append(daemon) }
        return daemon
    }

    fileprivate func report() {
        for daemon in daemons.list.withLock({ $0 }).suffix(3) { print("== \(daemon.log)\n\(daemon.logTail())") }
        for daemon in daemons.stock.withLock({ $0 }) { print("== \(daemon.name)\n\(daemon.logTail(lines: 40))") }
    }

    fileprivate func close() async throws {
        for daemon in daemons.list.withLock({ $0 }) { try await daemon.kill() }
        for daemon in daemons.stock.withLock({ $0 }) { try await daemon.stop() }
        for site in sites {
            try await site.cluster.ceph("osd", "pool", "delete", site.pool, site.pool, "--yes-i-really-really-mean-it")
        }
    }
}

/// Maps change at once and killed clients are missed soon, so that a test does not wait for the clocks of a cluster.
private let pairConfiguration = SandboxPair.Configuration(
    SandboxConfiguration(managerModules: [], options: [
        "paxos_propose_interval": "0.05", "osd_snap_trim_sleep_hdd": "0", "osd_client_watch_timeout": "8",
        "mgr_service_beacon_grace": "15",
    ]), pools: [])

/// Lends a freshly mirrored pool to a test and clears it away; a failure shows the seed and the daemons' logs.
nonisolated(nonsending)
func withScene(_ pool: String, _ body: (Scene) async throws -> Void) async throws {
    let pair = try await SandboxPair.shared(pairConfiguration)
    try await pair.addMirroredPool(pool)
    let scene = Scene(siteA: Site(cluster: pair.siteA, pool: pool), siteB: Site(cluster: pair.siteB, pool: pool))
    do {
        try await body(scene)
    } catch {
        Issue.record("\(error)\nRepeat with \(SeededRandom.hint)")
        scene.report()
    }
    try await scene.close()
}
