public import SystemPackage

extension SandboxCluster {
    /// Makes a pool and waits until all of it serves.
    ///
    /// - Parameter application: With `rbd` the pool is made ready for images as `rbd pool init` does.
    public func createPool(_ name: String, application: String = "rbd") async throws {
        try await ceph("osd", "pool", "create", name)
        if application == "rbd" {
            try await rbd("pool", "init", name)
        } else {
            try await ceph("osd", "pool", "application", "enable", name, application)
        }
        // Asks every placement group, each of which answers when it is active.
        try await run("rados", ["-p", name, "ls"])
    }

    /// Makes a user, or gives an existing one the capabilities, and returns the file with its key (mode 0600).
    ///
    /// The file lies where the configuration file leads the user to it.
    ///
    ///     try await cluster.createUser("client.backup", ["mon": "profile rbd", "osd": "profile rbd pool=vms"])
    @discardableResult
    public func createUser(_ name: String, _ capabilities: [String: String]) async throws -> FilePath {
        let pairs = capabilities.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        let keyring = try await ceph(["auth", "get-or-create", name] + pairs)
        return try files.write("\(name).keyring", keyring)
    }
}
