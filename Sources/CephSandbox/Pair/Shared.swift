internal import Synchronization

/// Things that cost much to start, started once a process.
private final class Shelf<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let tasks = Mutex<[Key: Task<Value, any Error>]>([:])

    /// The value of a key: started by who asks first, awaited by all. A failure stays.
    func value(_ key: Key, _ start: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = tasks.withLock { tasks in
            if let task = tasks[key] { return task }
            let task = Task { try await start() }
            tasks[key] = task
            return task
        }
        return try await task.value
    }
}

private let pairs = Shelf<SandboxPair.Configuration, SandboxPair>()
private let clusters = Shelf<SandboxConfiguration, SandboxCluster>()

extension SandboxPair {
    /// The pair of this configuration that all of the process shares.
    ///
    /// The first call starts it; it is stopped when the process ends. Give each test pools or images of its own, and do not freeze or
    /// kill a daemon that others use. When its start has failed every call throws that error.
    ///
    ///     @Test func copies() async throws {
    ///         let pair = try await SandboxPair.shared()
    public static func shared(_ configuration: Configuration = Configuration()) async throws -> SandboxPair {
        try await pairs.value(configuration) { try await start(configuration) }
    }
}

extension SandboxCluster {
    /// The cluster of this configuration that all of the process shares; see `SandboxPair.shared(_:)`.
    public static func shared(_ configuration: SandboxConfiguration = SandboxConfiguration()) async throws -> SandboxCluster {
        try await clusters.value(configuration) { try await start("shared", configuration) }
    }
}
