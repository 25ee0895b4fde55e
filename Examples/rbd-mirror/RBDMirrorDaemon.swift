import AdminSocket
import CAllocator
import CephCore
import DaemonSupport
import Foundation
import Logging
import RBDMirroring
import ServiceLifecycle

/// The daemon that takes stock `rbd-mirror`'s place: options in, engine running, log and admin socket beside it.
@main
struct RBDMirrorDaemon {
    static func main() async {
        callocator_reuse_memory()
        do {
            let options = try DaemonOptions(
                arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
            switch options.request {
            case .help: print(DaemonOptions.usage(of: "rbd-mirror", own: JournalOptions.usage), terminator: "")
            case .version: print(version)
            default:
                try await serve(options)
                leave(0)
            }
        } catch {
            let sentence = (error as? CephError).map { StartError($0).description } ?? "\(error)"
            FileHandle.standardError.write(Data("rbd-mirror: \(sentence)\n".utf8))
            leave(1)
        }
    }

    /// Exits without the clean-up of C++: a call to a cluster that does not answer may still be on its thread.
    static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    static var version: String {
        let library = Cluster.libraryVersion
        return "rbd-mirror (swift-ceph-mirroring) on librados \(library.major).\(library.minor).\(library.extra)"
    }

    static func serve(_ options: DaemonOptions) async throws {
        let cluster = configuration(options)
        let view = try ConfigurationView.read(cluster, options)
        if let option = options.request.shownOption {
            guard let value = view.value(of: option) else { throw StartError(noSuchOption: option) }
            print(value)
            return
        }
        let detachment = try Detachment.begin(foreground: options.isForeground)
        let settings = DaemonSettings(options, subsystem: "rbd_mirror") { view.value(of: $0) ?? "" }
        let process = try await DaemonProcess(settings, detachment: detachment)
        defer { process.end() }
        LoggingSystem.bootstrap { process.log.handler(label: $0) }
        let logger = Logger(label: "rbd-mirror")
        // The log and the admin socket are the daemon's own, not its clients'.
        let clients = cluster.with(options: [("admin_socket", ""), ("log_file", ""), ("pid_file", "")])
        var engine = engine(clients, view)
        engine.journals = try JournalOptions.following(options)
        let mirror = RBDMirror(engine, logger: logger) { try process.ready() }
        let server = AdminSocketServer(version: .init(version: version, release: "", gitVersion: ""))
        server.register(process.log.commands)
        let running = try RunningConfiguration(clients: clients, view: view, log: process.log, settings: settings)
        server.register(running.access.commands)
        let commands = RBDMirrorCommands(control: EngineControl(mirror: mirror), on: server)
        if let path = settings.adminSocket {
            // Like stock, a daemon without its socket is better than none.
            do { try server.open(at: path, mode: settings.adminSocketMode) } catch {
                logger.error("no admin socket", metadata: ["path": "\(path)", "error": "\(error)"])
            }
        }
        let watcher = Task {
            await commands.update()
            for await _ in mirror.events { await commands.update() }
        }
        defer { watcher.cancel() }
        try await ServiceGroup(
            services: [process, server, mirror], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }

    static func configuration(_ options: DaemonOptions) -> ClusterConfiguration {
        let source: ClusterConfiguration.Source = if let file = options.configurationFile {
            .configurationFile(file, clusterName: options.cluster)
        } else {
            .named(options.cluster)
        }
        let own = JournalOptions.names.union(["daemonize", "setuser", "setgroup"])
        return ClusterConfiguration(
            source, as: options.name,
            options: options.overrides.filter { !own.contains($0.name) }.map { ($0.name, $0.value) })
    }

    static func engine(_ cluster: ClusterConfiguration, _ view: ConfigurationView) -> RBDMirrorConfiguration {
        var configuration = RBDMirrorConfiguration(cluster: cluster)
        // Peers get the same time to answer as the own cluster.
        configuration.cluster.deadlines = view.deadlines
        let number = { (option: String) in view.value(of: option).flatMap(Double.init) }
        if let interval = number("rbd_mirror_pool_replayers_refresh_interval") { configuration.refreshInterval = .seconds(interval) }
        return configuration
    }
}

extension ClusterConfiguration {
    func with(options more: [(name: String, value: String)]) -> ClusterConfiguration {
        var copy = self
        copy.options += more
        return copy
    }
}

extension ConfigurationView {
    /// Reads the configuration; an error says which file or option of the command line is wrong.
    static func read(_ cluster: ClusterConfiguration, _ options: DaemonOptions) throws -> ConfigurationView {
        do throws(CephError) { return try ConfigurationView(cluster) } catch {
            throw StartError(error, options)
        }
    }
}

/// Why the daemon cannot start, in the words of its command line.
struct StartError: Error, CustomStringConvertible {
    let description: String

    init(noSuchOption name: String) { description = "failed to get setting '\(name)': there is no such option" }

    init(option name: String, value: String) {
        description = "the value of '--\(name.replacing("_", with: "-"))' is not valid: \(value) is no number above 0"
    }

    init(_ error: CephError) {
        let meaning = error.isTimeout ? "no answer within the deadline" : error.meaning
        description = error.operation == "rados_connect" ? "cannot connect as \(error.subject): \(meaning)" : "\(error)"
    }

    init(_ error: CephError, _ options: DaemonOptions) {
        let option = "--" + error.subject.replacing("_", with: "-")
        description = switch (error.operation, error.isNotFound) {
        case ("rados_conf_set", true): "unknown option '\(option)'"
        case ("rados_conf_set", false): "the value of '\(option)' is not valid: \(error.meaning)"
        case ("rados_conf_read_file", _):
            "configuration file \(options.configurationFile ?? "/etc/ceph/\(options.cluster).conf"): \(error.meaning)"
        default: "\(error)"
        }
    }
}
