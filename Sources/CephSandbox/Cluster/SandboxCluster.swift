public import SystemPackage
internal import Synchronization

/// Runs a small real Ceph cluster on loopback.
///
/// It has a monitor, a manager, an OSD and, by choice, an MDS with a file system, all started from the installed Ceph packages.
/// Its files lie in a folder of its own that only this user can read, its ports are its own, and cephx is on.
/// Everything is gone when it is stopped and also when this process ends, however that happens.
///
///     let cluster = try await SandboxCluster.start("site-a")
///     try await cluster.createPool("vms")
///     try await cluster.rbd("create", "vms/disk", "--size", "1G")
///     try await cluster.stop()
public final class SandboxCluster: Sendable {
    /// The name given at the start.
    public let name: String
    public let configuration: SandboxConfiguration
    /// The cluster's id.
    public let fsid: String
    /// The value of `mon host`: both addresses of the monitor.
    public let monitorHosts: String
    /// The configuration file; it also says where keyrings are, so `-c` and a user's name are enough for a client.
    public let configurationFile: FilePath
    /// The keyring of `client.admin`.
    public let adminKeyring: FilePath
    /// The folder that holds all of the cluster's files and may be used for more; it goes with the cluster.
    public var folder: FilePath { FilePath(files.path) }

    /// The monitor, `mon.a`.
    public var monitor: SandboxDaemon { crew.monitor }
    /// The manager, `mgr.x`, if there is one.
    public var manager: SandboxDaemon? { crew.manager }
    /// The OSDs, `osd.0` and on.
    public var osds: [SandboxDaemon] { crew.osds }
    /// The metadata server, `mds.a`, if there is a file system.
    public var mds: SandboxDaemon? { crew.mds }
    /// The cluster's own daemons in the order of their start.
    public var daemons: [SandboxDaemon] { [monitor] + [manager].compactMap(\.self) + osds + [mds].compactMap(\.self) }

    let files: SandboxFolder
    let ports: PortBlock
    private let crew: Crew
    /// Stock daemons started beside the cluster.
    let peers = Mutex<[SandboxDaemon]>([])
    /// The name in `/etc/ceph`, once asked for.
    let publication = Mutex<Publication?>(nil)

    private init(_ name: String, _ configuration: SandboxConfiguration) throws(SandboxError) {
        self.name = name
        self.configuration = configuration
        ports = try PortBlock.take()
        files = try SandboxFolder(name, for: configuration.binaries)
        fsid = randomUUID()
        monitorHosts = "[v2:127.0.0.1:\(ports.monitor.v2)/0,v1:127.0.0.1:\(ports.monitor.v1)/0]"
        let text = ConfigurationText(
            fsid: fsid, folder: files.path, monitorHosts: monitorHosts, ports: ports.others, configuration: configuration)
        configurationFile = try files.write("ceph.conf", text.text)
        adminKeyring = FilePath("\(files.path)/client.admin.keyring")
        crew = try Crew(configuration, of: name, configurationFile: configurationFile, folder: files.path)
    }

    /// Starts a cluster and waits until it serves.
    ///
    /// Takes about five seconds, two without a manager. When it fails nothing is left behind. It runs until `stop()` or the end of this
    /// process, even if nobody holds on to it.
    ///
    /// - Parameter name: Letters, digits, `-`, `_` and `.`; at most 16. Two clusters may have one name.
    /// - Throws: `SandboxError`; with `missingPackage` it names all of the Debian packages to install.
    public static func start(
        _ name: String, _ configuration: SandboxConfiguration = SandboxConfiguration()
    ) async throws -> SandboxCluster {
        try check(name, configuration)
        try configuration.binaries.require(Crew.programs(configuration))
        let cluster = try SandboxCluster(name, configuration)
        do {
            try await cluster.boot()
        } catch {
            try? await cluster.stop()
            throw error
        }
        return cluster
    }

    /// Kills all of the cluster's daemons and removes its files; harmless if it is stopped.
    public func stop() async throws {
        // Not to be cut short when the task is cancelled.
        try await Task {
            let peers = self.peers.withLock { peers in
                defer { peers = [] }
                return peers
            }
            for daemon in daemons + peers { daemon.send(.kill) }
            for daemon in peers { try await daemon.stop() }
            for daemon in daemons { try await daemon.stop() }
            try publication.withLock { publication in
                try publication?.remove()
                publication = nil
            }
            try files.remove()
        }.value
    }

    private static func check(_ name: String, _ configuration: SandboxConfiguration) throws(SandboxError) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard isPlain, (1...16).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw SandboxError(.invalidRequest, "The cluster name \"\(name)\" is not 1 to 16 letters, digits, `-`, `_` and `.`.")
        }
        guard (1...8).contains(configuration.osds) else {
            throw SandboxError(.invalidRequest, "\(configuration.osds) OSDs are not 1 to 8.")
        }
        for (key, value) in configuration.options where (key + value).contains(where: \.isNewline) {
            throw SandboxError(.invalidRequest, "The option \(key.debugDescription) contains a line break.")
        }
    }
}

/// Starts a cluster, lends it to a closure and stops it, also when the closure throws.
nonisolated(nonsending)
public func withSandboxCluster<R>(
    _ name: String, _ configuration: SandboxConfiguration = SandboxConfiguration(), _ body: (SandboxCluster) async throws -> R
) async throws -> R {
    let cluster = try await SandboxCluster.start(name, configuration)
    do {
        let result = try await body(cluster)
        try await cluster.stop()
        return result
    } catch {
        try? await cluster.stop()
        throw error
    }
}
