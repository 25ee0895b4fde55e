internal import Glibc
internal import SystemPackage

/// A stock mirror daemon to be started: its user, its configuration, its command line.
struct StockPeer {
    let program: String
    let user: String
    let capabilities: [String: String]
    let options: [String: String]
    let binaries: SandboxBinaries

    /// Makes user, folder and configuration, starts the daemon and waits until it answers on its admin socket.
    func start(on cluster: SandboxCluster) async throws -> SandboxDaemon {
        try binaries.require([program])
        let keyring = try await cluster.keyring(of: "client.\(user)", capabilities)
        let folder = try SandboxFolder("peer", for: binaries)
        do {
            return try await start(on: cluster, in: folder, keyring: keyring)
        } catch {
            try? folder.remove()
            throw error
        }
    }

    private func start(on cluster: SandboxCluster, in folder: SandboxFolder, keyring: String) async throws -> SandboxDaemon {
        let keyringFile = try folder.write("keyring", keyring)
        let file = try folder.write("ceph.conf", configuration(cluster, folder, keyringFile))
        let publication = try Publication(cluster.name, of: file.string, for: binaries)
        let command = try binaries.command(program, arguments(publication.name, keyringFile))
        let daemon = SandboxDaemon(
            name: "client.\(user)", logFile: cluster.folder.appending("client.\(user).log"),
            plan: SandboxDaemon.Plan(
                executable: command.executable, arguments: command.arguments, readyWithin: cluster.configuration.bootTimeout,
                isReady: { daemon in (try? await daemon.adminSocket?.ask("version")) != nil },
                cleanUp: {
                    try publication.remove()
                    try folder.remove()
                },
                adminSocket: { Self.adminSocket(of: $0, in: folder) }))
        cluster.peers.withLock { $0.append(daemon) }
        do {
            try await daemon.start()
        } catch {
            try? await daemon.stop()
            throw error
        }
        return daemon
    }

    private func arguments(_ clusterName: String, _ keyring: FilePath) -> [String] {
        let foreground = program == "rbd-mirror" ? "-f" : "--foreground"
        return ["--cluster", clusterName, "--id", user, "--keyring", keyring.string, foreground]
    }

    private func configuration(_ cluster: SandboxCluster, _ folder: SandboxFolder, _ keyring: FilePath) -> String {
        let own = [
            "fsid": cluster.fsid,
            "mon_host": cluster.monitorHosts,
            "keyring": keyring.string,
            "run_dir": folder.path,
            "admin_socket": "\(folder.path)/$pid.$cctid.asok",
            "crash_dir": folder.path,
            "log_file": "",
            "log_to_stderr": "true",
            "pid_file": "",
        ]
        let all = own.merging(options.map { (ConfigurationText.normal($0), $1) }) { $1 }
        return "[global]\n" + all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
    }

    /// The socket of the process that runs now; each connection of the daemon has one, the first is the daemon's own.
    private static func adminSocket(of daemon: SandboxDaemon, in folder: SandboxFolder) -> FilePath? {
        guard let pid = daemon.processID else { return nil }
        return names(in: folder.path).filter { $0.hasPrefix("\(pid).") && $0.hasSuffix(".asok") }.min { $0 < $1 }
            .map { FilePath("\(folder.path)/\($0)") }
    }
}

/// The names in a folder; none if it cannot be read.
func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) { names.append(name(of: entry)) }
    return names
}
