import CephCore
import DaemonSupport
import Logging

/// The daemon's configuration while it runs, for the admin socket's commands `config …`.
struct RunningConfiguration: Sendable {
    let cluster: ClusterConfiguration
    let view: ConfigurationView
    let log: LogWriter

    var access: ConfigAccess {
        let view = view
        return ConfigAccess(
            get: { (option) throws(ConfigFailure) in
                guard let value = view.value(of: option) else { throw ConfigFailure(errno: 2) }
                return value
            },
            set: { (option, value) throws(ConfigFailure) in try set(option, value) },
            list: { () throws(ConfigFailure) in
                try await names().compactMap { name in view.value(of: name).map { (option: name, value: $0) } }
            })
    }

    private func set(_ option: String, _ value: String) throws(ConfigFailure) {
        do throws(CephError) { try view.set(option, to: value) } catch { throw ConfigFailure(errno: error.code) }
        if option == "debug_rbd_mirror" { log.level = Logger.Level(debugLevel: value) }
    }

    /// The options there are, as the monitors know them.
    private func names() async throws(ConfigFailure) -> [String] {
        do throws(CephError) {
            let connection = try await Cluster.connect(cluster)
            let reply = try await connection.monitorCommand(["prefix": "config ls"])
            await connection.shutdown()
            return reply.text.split(separator: "\n").map(String.init).sorted()
        } catch {
            throw ConfigFailure(errno: error.code)
        }
    }
}
