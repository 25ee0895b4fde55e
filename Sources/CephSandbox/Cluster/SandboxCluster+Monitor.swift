internal import CephCore
internal import Foundation

extension SandboxCluster {
    /// Sends a command to the monitor and returns its output, which may be a secret.
    ///
    /// From within this process, since `ceph` takes half a second of processor time each time.
    ///
    /// - Parameter fields: What JSON can hold, by the names and in the types that the monitor gives them.
    @discardableResult
    func monitorCommand(_ prefix: String, _ fields: [String: Any]) async throws(SandboxError) -> String {
        let limit = configuration.commandTimeout
        let admin = ClusterConfiguration(
            .configurationFile(configurationFile.string, clusterName: name), as: "client.admin",
            deadlines: Deadlines(connect: limit, monitor: limit))
        do {
            let json = try JSONSerialization.data(withJSONObject: fields.merging(["prefix": prefix]) { $1 })
            let client = try await Cluster.connect(admin)
            do {
                let reply = try await client.monitorCommand(json: String(decoding: json, as: UTF8.self))
                await client.shutdown()
                return reply.text
            } catch {
                await client.shutdown()
                throw error
            }
        } catch {
            throw SandboxError(
                .commandFailed, "The monitor of \(name) did not do `\(prefix)`.", command: [prefix], standardError: "\(error)")
        }
    }
}
