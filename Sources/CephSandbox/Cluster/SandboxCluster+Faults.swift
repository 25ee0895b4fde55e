extension SandboxCluster {
    /// Freezes every daemon of the cluster, as if its site had gone silent: connections stay up and nobody answers.
    ///
    /// Stock daemons started beside it go on.
    public func freeze() async throws { try await each { try await $0.freeze() } }

    /// Lets a frozen cluster go on.
    public func thaw() async throws { try await each { try await $0.thaw() } }

    /// Kills every daemon of the cluster (SIGKILL), as if its site had lost power; files stay for a restart of single daemons.
    public func kill() async throws { try await each { try await $0.kill() } }

    /// The last lines of every log, to be shown when a test fails.
    public func logTails(lines: Int = 20) -> String {
        let all = daemons + peers.withLock { $0 }
        return all.map { "== \(name) \($0.name), \($0.exit.map { "\($0)" } ?? "running")\n\($0.logTail(lines: lines))" }
            .joined(separator: "\n")
    }

    /// Runs a closure and prints the end of every log when it throws.
    nonisolated(nonsending)
    public func showingLogsOnFailure<R>(lines: Int = 20, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch {
            print("\(error)\n\(logTails(lines: lines))")
            throw error
        }
    }

    private func each(_ action: @escaping @Sendable (SandboxDaemon) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for daemon in daemons { group.addTask { try await action(daemon) } }
            try await group.waitForAll()
        }
    }
}
