import AdminSocket
import DaemonSupport
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// A daemon with everything but an engine: the order of its steps is that of the real ones.
@main
struct DaemonProbe {
    static func main() async {
        do {
            let options = try DaemonOptions(
                arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
            switch options.request {
            case .help: print(DaemonOptions.usage(of: "daemon-probe"), terminator: "")
            case .version: print("daemon-probe 1")
            default: try await run(options)
            }
        } catch {
            FileHandle.standardError.write(Data("daemon-probe: \(error)\n".utf8))
            exit(1)
        }
    }

    static func run(_ options: DaemonOptions) async throws {
        let detachment = try Detachment.begin(foreground: options.isForeground)
        if let reason = options.override("probe_fail") { throw ProbeFailure(description: reason) }
        let settings = DaemonSettings(options, subsystem: "probe") { options.override($0) ?? "" }
        let process = try await DaemonProcess(settings, detachment: detachment)
        LoggingSystem.bootstrap { process.log.handler(label: $0) }
        let logger = Logger(label: "probe")

        let server = AdminSocketServer(version: .init(version: "1", release: "probe", gitVersion: "none"))
        server.register(process.log.commands + config(options).commands + own(logger))
        if let path = settings.adminSocket { try server.open(at: path, mode: settings.adminSocketMode) }
        logger.notice("started", metadata: ["pid": "\(getpid())", "key": "geheim"])
        if let file = options.override("probe_wait") {
            for _ in 0..<2000 where access(file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
        try process.ready()
        let group = ServiceGroup(
            services: [process, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
        logger.notice("stopped")
        process.end()
    }

    static func own(_ logger: Logger) -> [AdminCommand] {
        [
            AdminCommand("say", parameters: [AdminParameter("text")], help: "log a line") {
                logger.notice("\($0.string("text"))")
                return .done
            },
            AdminCommand("whoami", help: "ids and session") { _ in
                .json(["uid": .integer(Int64(getuid())), "gid": .integer(Int64(getgid())),
                    "groups": .integer(Int64(getgroups(0, nil))), "session": .integer(Int64(getsid(0))),
                    "pid": .integer(Int64(getpid()))])
            },
        ]
    }

    static func config(_ options: DaemonOptions) -> ConfigAccess {
        let values = ConfigValues(options.overrides.map { ($0.name, $0.value) })
        return ConfigAccess(
            get: { (option) throws(ConfigFailure) in try values.get(option) },
            set: { (option, value) throws(ConfigFailure) in try values.set(option, value) },
            list: { () throws(ConfigFailure) in values.all })
    }
}

struct ProbeFailure: Error, CustomStringConvertible { let description: String }

final class ConfigValues: Sendable {
    private let values: Mutex<[String: String]>
    init(_ values: [(String, String)]) { self.values = Mutex(Dictionary(values) { $1 }) }

    var all: [(option: String, value: String)] {
        values.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
    func get(_ option: String) throws(ConfigFailure) -> String {
        guard let value = values.withLock({ $0[option] }) else { throw ConfigFailure(errno: ENOENT) }
        return value
    }
    func set(_ option: String, _ value: String) throws(ConfigFailure) {
        _ = try get(option)
        values.withLock { $0[option] = value }
    }
}
