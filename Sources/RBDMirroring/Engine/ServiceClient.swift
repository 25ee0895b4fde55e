internal import CephCore
internal import Logging

/// The client by which the daemon as a whole is known: it looks at pools and peers and has the entry in the service map.
///
/// A new one takes its place when it is fenced.
final class ServiceClient: Sendable {
    private let configuration: RBDMirrorConfiguration
    private let current: Locked<Cluster>

    static func connect(_ configuration: RBDMirrorConfiguration) async throws(CephError) -> ServiceClient {
        let cluster = try await Cluster.connect(configuration.cluster)
        return ServiceClient(configuration, cluster)
    }

    private init(_ configuration: RBDMirrorConfiguration, _ cluster: Cluster) {
        self.configuration = configuration
        current = Locked(cluster)
    }

    /// The present one; an old one refuses further calls.
    var cluster: Cluster { current.withLock { $0 } }

    /// Puts the daemon into the service map.
    func register() async throws(CephError) { try await register(cluster) }

    private func register(_ cluster: Cluster) async throws(CephError) {
        try await cluster.registerService("rbd-mirror", daemon: "\(cluster.globalID)", metadata: [
            "id": ServiceStatus.clientID(ofEntity: configuration.daemonID), "instance_id": "\(cluster.globalID)",
        ])
    }

    /// Connects and registers anew; the old entry in the service map goes with its client.
    func replace(_ logger: Logger) async throws(CephError) {
        let new = try await Cluster.connect(configuration.cluster)
        let failure = await failure(registering: new)
        if let failure {
            await new.shutdown(within: .seconds(1))
            throw failure
        }
        let old = current.withLock { current in
            defer { current = new }
            return current
        }
        logger.notice("fenced, going on with a new client", metadata: ["service": "\(new.globalID)", "fenced": "\(old.globalID)"])
        await old.shutdown(within: .seconds(1))
    }

    private func failure(registering cluster: Cluster) async -> CephError? {
        do throws(CephError) { try await register(cluster) } catch { return error }
        return nil
    }

    func shutdown() async { await cluster.shutdown(within: .seconds(1)) }
}
