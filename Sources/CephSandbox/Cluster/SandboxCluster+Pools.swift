public import SystemPackage

extension SandboxCluster {
    /// Makes a pool and waits until all of it serves.
    ///
    /// - Parameter application: With `rbd` the pool is made ready for images as `rbd pool init` does.
    public func createPool(_ name: String, application: String = "rbd") async throws {
        try await monitorCommand("osd pool create", ["pool": name])
        if application == "rbd" {
            try await rbd("pool", "init", name)
        } else {
            try await monitorCommand("osd pool application enable", ["pool": name, "app": application])
        }
        // Asks every placement group, each of which answers when it is active.
        try await run("rados", ["-p", name, "ls"])
    }

    /// Removes a pool with everything in it.
    public func removePool(_ name: String) async throws {
        try await monitorCommand("osd pool delete", ["pool": name, "pool2": name, "yes_i_really_really_mean_it": true])
    }

    /// Makes a user, or gives an existing one the capabilities, and returns the file with its key (mode 0600).
    ///
    /// The file lies where the configuration file leads the user to it.
    ///
    ///     try await cluster.createUser("client.backup", ["mon": "profile rbd", "osd": "profile rbd pool=vms"])
    @discardableResult
    public func createUser(_ name: String, _ capabilities: [String: String]) async throws -> FilePath {
        try files.write("\(name).keyring", try await keyring(of: name, capabilities))
    }

    /// The keyring of a user, who is made if there is none.
    func keyring(of user: String, _ capabilities: [String: String]) async throws(SandboxError) -> String {
        let pairs = capabilities.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        return try await monitorCommand("auth get-or-create", ["entity": user, "caps": pairs])
    }
}
