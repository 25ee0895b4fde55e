extension SandboxCluster {
    /// Starts the stock `rbd-mirror` on this cluster, as the replica's side of its peers.
    ///
    /// It belongs to the cluster and is stopped with it, or before by its `stop()`. From start to its first work it takes 7 to 20 s.
    ///
    /// - Parameters:
    ///   - instance: Tells several on one cluster apart; the user is `client.rbd-mirror.INSTANCE`.
    ///   - options: Options of its configuration file, for example `debug_rbd_mirror`.
    ///   - binaries: The Ceph release it comes from; `nil` is the cluster's own.
    public func startRBDMirror(
        _ instance: String = "a", options: [String: String] = [:], binaries: SandboxBinaries? = nil
    ) async throws -> SandboxDaemon {
        try await StockPeer(
            program: "rbd-mirror", user: "rbd-mirror.\(instance)", capabilities: ["mon": "profile rbd-mirror", "osd": "profile rbd"],
            options: options, binaries: binaries ?? configuration.binaries
        ).start(on: self)
    }

    /// Starts the stock `cephfs-mirror` on this cluster, the source's side.
    ///
    /// It belongs to the cluster and is stopped with it, or before by its `stop()`. The parameters are those of `startRBDMirror`; the
    /// user is `client.cephfs-mirror.INSTANCE`.
    public func startCephFSMirror(
        _ instance: String = "a", options: [String: String] = [:], binaries: SandboxBinaries? = nil
    ) async throws -> SandboxDaemon {
        let capabilities = [
            "mon": "profile cephfs-mirror", "mds": "allow r", "mgr": "allow r",
            "osd": "allow rw tag cephfs metadata=*, allow r tag cephfs data=*",
        ]
        return try await StockPeer(
            program: "cephfs-mirror", user: "cephfs-mirror.\(instance)", capabilities: capabilities,
            options: options, binaries: binaries ?? configuration.binaries
        ).start(on: self)
    }

    /// Gives the cluster a name that `--cluster` understands, and returns it.
    ///
    /// Links `/etc/ceph/NAME.conf` to the configuration file until the cluster is stopped. Each call gives the same name.
    public func publishedName() throws(SandboxError) -> String {
        try publication.withLock { publication throws(SandboxError) in
            if let publication { return publication.name }
            let made = try Publication(name, of: configurationFile.string, for: .installed)
            publication = made
            return made.name
        }
    }
}
