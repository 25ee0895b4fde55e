internal import SystemPackage

extension SandboxCluster {
    /// While a cluster boots its monitor does not wait before it puts a change to the vote; later it does, as stock ones do.
    private static let hurry = "paxos_propose_interval"

    func boot() async throws {
        try await prepare()
        try await monitor.start(extraArguments: ["--\(Self.hurry)=0.05"])
        async let managerIsUp: Void = bootManager()
        do {
            try mds?.launch()
            for (number, osd) in osds.enumerated() { try await boot(osd, number) }
            if let fileSystem = configuration.fileSystem { try await createFileSystem(fileSystem) }
            try await managerIsUp
        }
        let usual = configuration.options.first { ConfigurationText.normal($0.key) == Self.hurry }?.value ?? "1"
        try await monitor.adminSocket?.ask("config set", ["var": "\(Self.hurry)", "val": [usual]])
    }

    private func bootManager() async throws {
        guard let manager else { return }
        // Before the manager runs, since it starts anew with each module; forced, since the monitor does not know the modules yet.
        for module in configuration.managerModules { try await ceph("mgr", "module", "enable", module, "--force") }
        try await manager.start()
    }

    /// Makes keyrings, the monitor map and the monitor's store.
    private func prepare() async throws {
        try files.makeFolder("crash")
        for daemon in daemons { try files.makeFolder(daemon.name) }
        let owners = [Keyring.monitor, Keyring.admin] + daemons.dropFirst().map { Keyring.owner($0.name) }
        let cipher = try await hasChoiceOfCiphers() ? Cipher.everyone : Cipher.only
        let all = "\(files.path)/mkfs.keyring"
        try files.write("mkfs.keyring", "")
        for owner in owners {
            let file = try files.write("\(owner.fileName).keyring", "")
            try await tool("ceph-authtool", ["--gen-key", "-n", owner.name] + cipher.ofKeys + owner.capabilityArguments + [file.string])
            try await tool("ceph-authtool", [all, "--import-keyring", file.string])
        }
        let map = "\(files.path)/monmap"
        let monitor = ["--addv", "a", monitorHosts.replacing("/0", with: "")]
        try await tool("monmaptool", ["--create", "--fsid", fsid] + cipher.ofMonitors + monitor + [map])
        try await tool("ceph-mon", ["--mkfs", "-c", configurationFile.string, "-i", "a", "--monmap", map, "--keyring", all])
        files.remove("mkfs.keyring")
    }

    /// Whether the release has a newer cipher for keys, which clients of older releases do not understand.
    private func hasChoiceOfCiphers() async throws -> Bool {
        let command = try configuration.binaries.command("monmaptool", ["--help"])
        let help = try await SandboxProcess.run(command.executable, command.arguments, timeout: configuration.commandTimeout)
        return (help.text + help.errorText).contains("--auth-preferred-cipher")
    }

    private func boot(_ osd: SandboxDaemon, _ number: Int) async throws {
        let id = randomUUID()
        try await monitorCommand("osd new", ["uuid": id, "id": number])
        let arguments = ["--mkfs", "-c", configurationFile.string, "-i", "\(number)", "--osd-uuid", id]
        try await tool("ceph-osd", arguments + ["--monmap", "\(files.path)/monmap"])
        try await osd.start()
    }

    private func createFileSystem(_ name: String) async throws {
        let pools = ["\(name).meta", "\(name).data"]
        for pool in pools { try await monitorCommand("osd pool create", ["pool": pool]) }
        try await ceph(["fs", "new", name] + pools)
        try await mds?.waitUntilReady()
    }

    /// Runs a program of the cluster's release that needs no cluster.
    private func tool(_ name: String, _ arguments: [String]) async throws {
        let command = try configuration.binaries.command(name, arguments)
        let output = try await SandboxProcess.run(command.executable, command.arguments, timeout: configuration.commandTimeout)
        guard output.exit.isSuccess else { throw SandboxError.failed([name] + arguments, output) }
    }
}

/// How keys are encrypted.
private struct Cipher {
    let ofKeys: [String]
    let ofMonitors: [String]

    /// The release knows one.
    static let only = Cipher(ofKeys: [], ofMonitors: [])
    /// The one that clients of all releases know, as in a cluster that was upgraded.
    static let everyone = Cipher(
        ofKeys: ["--key-type", "aes"],
        ofMonitors: [
            "--auth-service-cipher", "aes", "--auth-preferred-cipher", "aes", "--auth-allowed-ciphers", "aes,aes256k",
        ])
}
