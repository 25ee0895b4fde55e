extension SandboxPair {
    /// Makes a pool on both clusters, turns on RBD mirroring in image mode and makes them peers of each other.
    ///
    /// The peers are bootstrapped with the stock `rbd`, the token made at site A and imported at site B.
    public func addMirroredPool(_ pool: String, direction: Direction = .both) async throws {
        async let first: Void = prepare(pool, on: siteA)
        async let second: Void = prepare(pool, on: siteB)
        _ = try await (first, second)
        let token = try await siteA.rbd("mirror", "pool", "peer", "bootstrap", "create", "--site-name", siteA.name, pool)
        let file = try siteB.files.write("token", token)
        defer { siteB.files.remove("token") }
        try await siteB.rbd(
            "mirror", "pool", "peer", "bootstrap", "import", "--site-name", siteB.name, "--direction", direction.option, pool, file.string)
    }

    private func prepare(_ pool: String, on cluster: SandboxCluster) async throws {
        try await cluster.createPool(pool)
        try await cluster.rbd("mirror", "pool", "enable", "--site-name", cluster.name, pool, "image")
    }

    /// Makes the file system of site B a peer of that of site A, as the stock `cephfs-mirror` at site A needs it.
    ///
    /// Both clusters need a manager with the module `mirroring`, and a file system.
    public func connectFileSystems() async throws {
        guard let source = siteA.configuration.fileSystem, let target = siteB.configuration.fileSystem else {
            throw SandboxError(
                .invalidRequest, "A cluster of the pair has no file system.", advice: "Set `fileSystem` in both configurations.")
        }
        try await siteA.ceph("fs", "snapshot", "mirror", "enable", source)
        try await siteB.ceph("fs", "snapshot", "mirror", "enable", target)
        struct Bootstrap: Decodable { var token: String }
        let bootstrap = try await siteB.cephJSON(
            "fs", "snapshot", "mirror", "peer_bootstrap", "create", target, "client.mirror_remote", siteB.name, as: Bootstrap.self)
        // The token is a secret, so `ceph` reads the command from its standard input, and exits with 0 whatever comes of it.
        let reply = try await siteA.run("ceph", [], input: "fs snapshot mirror peer_bootstrap import \(source) \(bootstrap.token)\n")
        guard try await siteA.ceph("fs", "snapshot", "mirror", "peer_list", source).contains(siteB.name) else {
            throw SandboxError(.unexpectedOutput, "Importing the peer of file system \(source) failed: \(reply)")
        }
    }
}
