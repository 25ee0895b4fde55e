import AdminSocket
import CephCore
import DaemonSupport
import Foundation
import Logging
import Synchronization

/// The daemon's configuration while it runs, for the admin socket's commands `config …`.
final class RunningConfiguration: Sendable {
    private let clients: ClusterConfiguration
    private let view: ConfigurationView
    private let log: LogWriter
    /// Options that are not as the clients have them.
    private let own: Mutex<Set<String>>

    /// - Parameter clients: How the daemon connects, without what is the daemon's own.
    init(clients: ClusterConfiguration, view: ConfigurationView, log: LogWriter, settings: DaemonSettings) throws(CephError) {
        self.clients = clients
        self.view = view
        self.log = log
        let files = ["admin_socket": settings.adminSocket, "log_file": settings.logFile, "pid_file": settings.pidFile]
        own = Mutex(Set(files.keys))
        for (option, path) in files { try view.set(option, to: path ?? "") }
    }

    var access: ConfigAccess {
        ConfigAccess(
            get: { (option) throws(ConfigFailure) in
                guard let value = self.view.value(of: option) else { throw ConfigFailure(errno: ENOENT) }
                return value
            },
            set: { (option, value) throws(ConfigFailure) in try self.set(option, value) },
            list: { () throws(ConfigFailure) in
                let own = self.own.withLock { $0 }
                return try await self.clientOptions().map { option, value in
                    (option, own.contains(option) ? self.view.value(of: option) ?? value : value)
                }
            })
    }

    private func set(_ option: String, _ value: String) throws(ConfigFailure) {
        do throws(CephError) { try view.set(option, to: value) } catch { throw ConfigFailure(errno: error.code) }
        own.withLock { _ = $0.insert(option) }
        if option == "debug_rbd_mirror" { log.level = Logger.Level(debugLevel: value) }
    }

    /// Every option as the daemon's clients have it, what the monitors configure included.
    ///
    /// Librados lists them on the admin socket of a client only: one is made for it, in a folder nobody else can enter.
    private func clientOptions() async throws(ConfigFailure) -> [(option: String, value: String)] {
        var folder = Array(FileManager.default.temporaryDirectory.appending(path: "rbd-mirror-\(getpid())-XXXXXX").path.utf8CString)
        guard mkdtemp(&folder) != nil else { throw ConfigFailure(errno: errno) }
        let path = String(decoding: folder.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let socket = AdminSocketClient(path: path + "/asok")
            let client = try await Cluster.connect(clients.with(options: [("admin_socket", socket.path)]))
            let answer: Result<JSONValue, any Error>
            do { answer = .success(try await socket.ask("config show")) } catch { answer = .failure(error) }
            await client.shutdown()
            guard case .object(let members) = try answer.get() else { throw ConfigFailure(errno: EBADMSG) }
            return members.compactMap { if case .string(let value) = $0.value { ($0.key, value) } else { nil } }
        } catch let error as CephError {
            throw ConfigFailure(errno: error.code)
        } catch {
            throw ConfigFailure(errno: EIO)
        }
    }
}
