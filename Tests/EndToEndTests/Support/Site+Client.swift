import CephCore
import CephSandbox

extension Site {
    /// Lends the site's pool, seen by a client of the test's own: for what no stock tool does.
    nonisolated(nonsending)
    func withClient<R>(_ body: (Pool) async throws -> R) async throws -> R {
        let client = try await Cluster.connect(
            ClusterConfiguration(.configurationFile(cluster.configurationFile.string, clusterName: name), as: "client.admin"))
        do {
            let result = try await body(try await client.pool(pool).inNamespace(namespace))
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
