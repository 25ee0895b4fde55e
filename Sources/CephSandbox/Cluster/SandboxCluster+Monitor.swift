internal import CephCore
internal import Foundation
internal import SystemPackage

/// Sends commands to a cluster's monitor from within this process, since `ceph` takes half a second of processor time each time.
struct MonitorAdmin: Sendable {
    let cluster: String
    let configurationFile: FilePath
    let timeout: Duration

    /// Sends a command and returns its output, which may be a secret.
    ///
    /// - Parameter fields: What JSON can hold, by the names and in the types that the monitor gives them.
    @discardableResult
    func command(_ prefix: String, _ fields: [String: Any]) async throws(SandboxError) -> String {
        let admin = ClusterConfiguration(
            .configurationFile(configurationFile.string, clusterName: cluster), as: "client.admin",
            deadlines: Deadlines(connect: timeout, monitor: timeout))
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
                .commandFailed, "The monitor of \(cluster) did not do `\(prefix)`.", command: [prefix], standardError: "\(error)")
        }
    }
}

extension SandboxCluster {
    /// Sends a command to the monitor; see ``MonitorAdmin/command(_:_:)``.
    @discardableResult
    func monitorCommand(_ prefix: String, _ fields: [String: Any]) async throws(SandboxError) -> String {
        let admin = MonitorAdmin(cluster: name, configurationFile: configurationFile, timeout: configuration.commandTimeout)
        return try await admin.command(prefix, fields)
    }
}
