import CephCore
import CephSandbox
import Synchronization

/// A test's own client of a cluster, connected when it is first needed.
final class SiteClient: Sendable {
    private let cluster: SandboxCluster
    private let connection = Mutex<Task<Cluster, any Error>?>(nil)

    init(_ cluster: SandboxCluster) { self.cluster = cluster }

    func connected() async throws -> Cluster {
        let task = connection.withLock { connection in
            let task = connection ?? Task { [cluster] in
                try await Cluster.connect(
                    ClusterConfiguration(
                        .configurationFile(cluster.configurationFile.string, clusterName: cluster.name), as: "client.admin"))
            }
            connection = task
            return task
        }
        do {
            return try await task.value
        } catch {
            // The next one who needs it tries again.
            connection.withLock { if $0 == task { $0 = nil } }
            throw error
        }
    }

    func close() async {
        let task = connection.withLock { $0.take() }
        if let cluster = try? await task?.value { await cluster.shutdown() }
    }
}

extension Site {
    /// Lends the site's pool, or its namespace there, seen by the test's own client.
    nonisolated(nonsending)
    func withClient<R>(_ body: (Pool) async throws -> R) async throws -> R {
        let cluster = try await client.connected()
        // Another pool may have the name since the client looked.
        try await cluster.waitForLatestMap()
        return try await body(try await cluster.pool(pool).inNamespace(namespace))
    }

    /// What `ceph service status` prints.
    func serviceStatus() async throws -> String {
        try await client.connected().managerCommand(["prefix": "service status"]).text
    }

    /// Lends an image, opened for reading.
    nonisolated(nonsending)
    func withImage<R>(_ image: String, _ body: (Image) async throws -> R) async throws -> R {
        try await withClient { pool in try await pool.withImage(image, body) }
    }
}
