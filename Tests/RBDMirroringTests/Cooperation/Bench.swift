import CephCore
import CephSandbox
import Logging
import RBDMirroring
import Synchronization
import Testing

/// Records what the leader gives to one daemon.
final class RecordingOwner: ImageOwner {
    struct State {
        var images: Set<String> = []
        var acquired: [String] = []
        var released: [String] = []
        var peerRemoved: [String] = []
        var loss: ContactLoss?
        var holdsReleases = false
    }

    private let state = Mutex(State())
    var now: State { state.withLock { $0 } }

    func acquire(globalID: String) async {
        state.withLock {
            $0.images.insert(globalID)
            $0.acquired.append(globalID)
        }
    }

    /// Has releases wait, as for a replayer that does not stop.
    var holdsReleases: Bool {
        get { state.withLock(\.holdsReleases) }
        set { state.withLock { $0.holdsReleases = newValue } }
    }

    func release(globalID: String) async {
        while holdsReleases { try? await Task.sleep(for: .milliseconds(20)) }
        state.withLock {
            $0.images.remove(globalID)
            $0.released.append(globalID)
        }
    }

    func peerImageRemoved(globalID: String, mirrorUUID: String) async {
        state.withLock { $0.peerRemoved.append("\(globalID) \(mirrorUUID)") }
    }

    func contactLost(_ loss: ContactLoss) async {
        state.withLock {
            $0.images = []
            $0.loss = loss
        }
    }
}

/// One daemon of ours with a client of its own.
struct TestDaemon {
    let cluster: Cluster
    let pool: Pool
    let cooperator: Cooperator
    let share: ImageShare
    let owner: RecordingOwner

    static func start(
        _ sandbox: SandboxCluster, pool name: String, daemon: String = "a", as user: String = "client.admin",
        configuration: CooperationConfiguration = .brisk
    ) async throws -> TestDaemon {
        let cluster = try await Cluster.connect(.configurationFile(sandbox.configurationFile.string), as: user)
        let pool = try await cluster.pool(name)
        var logger = Logger(label: "cooperation")
        logger.logLevel = .debug
        logger[metadataKey: "daemon"] = "\(daemon)"
        let owner = RecordingOwner()
        let cooperator = Cooperator(
            pool: pool, configuration: configuration, identity: .current(daemon: daemon), logger: logger)
        let share = try await cooperator.start(owner)
        return TestDaemon(cluster: cluster, pool: pool, cooperator: cooperator, share: share, owner: owner)
    }

    func stop() async {
        await cooperator.stop()
        await cluster.shutdown()
    }
}

extension CooperationConfiguration {
    /// Everything five times as fast as by default, and no waiting before images move.
    static var brisk: CooperationConfiguration {
        CooperationConfiguration(
            timing: .init(heartbeatInterval: .seconds(1)),
            assignment: .init(migrationThrottle: .zero, retryInterval: .milliseconds(200)), notifyTimeout: .seconds(2))
    }
}

/// The image map as the cluster has it: image to instance.
func imageMap(_ pool: Pool) async throws -> [String: String] {
    var map: [String: String] = [:]
    for (key, value) in try await leaderEntries(pool, "image_map_") {
        map[key] = try Decoder.decode(value) { (d) throws(WireError) in
            try d.frame(supported: 1) { (d, _) throws(WireError) in
                let instance = try d.string()
                _ = try d.raw(d.remaining)
                return instance
            }
        }
    }
    return map
}

/// The registered daemons.
func instances(_ pool: Pool) async throws -> Set<String> { Set(try await leaderEntries(pool, "instance_").keys) }

private func leaderEntries(_ pool: Pool, _ prefix: String) async throws -> [String: [UInt8]] {
    do throws(CephError) {
        let entries = try await pool.omap(of: "rbd_mirror_leader", prefix: prefix)
        return Dictionary(uniqueKeysWithValues: entries.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    } catch {
        guard error.isNotFound else { throw error }
        return [:]
    }
}

/// The tests of this folder, one after the other: each has clusters and daemons that need their time.
@Suite(.serialized) enum CooperationTests {}

/// Waits for a condition for as long as a busy machine may need; how fast things must be is said beside it.
nonisolated(nonsending)
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    try await waitUntil(what, within: .seconds(90), condition)
}
