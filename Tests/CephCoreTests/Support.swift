import CephCore
import CephSandbox
import Glibc
import Synchronization
import Testing

/// What the live suites share: one small cluster, one connection, and a place of its own for each test.
enum Live {
    /// Snapshot ids come from the monitor, which is not to wait a second for company.
    static let configuration = SandboxConfiguration(manager: false, options: ["paxos propose interval": "0.05"])

    private static let started = Task {
        let cluster = try await SandboxCluster.shared(configuration)
        try await cluster.createPool("objects", application: "test")
        try await cluster.createPool("images")
        return cluster
    }

    private static let connected = Task { try await connect() }

    static func sandbox() async throws -> SandboxCluster { try await started.value }

    /// The connection that tests share which do not end it.
    static func cluster() async throws -> Cluster { try await connected.value }

    /// A connection of its own.
    static func connect(as user: String = "client.admin", deadlines: Deadlines = .init()) async throws -> Cluster {
        try await Cluster.connect(sandbox().connection(as: user, deadlines: deadlines))
    }

    /// A namespace of its own for objects.
    static func objects(of cluster: Cluster? = nil) async throws -> Pool {
        let cluster = if let cluster { cluster } else { try await Live.cluster() }
        return try await cluster.pool("objects").inNamespace(unique("ns"))
    }

    /// The pool for images; names have to be ``unique(_:)``.
    static func images(of cluster: Cluster? = nil) async throws -> Pool {
        let cluster = if let cluster { cluster } else { try await Live.cluster() }
        return try await cluster.pool("images")
    }
}

extension SandboxCluster {
    /// How to connect to it.
    func connection(as user: String = "client.admin", deadlines: Deadlines = .init()) -> ClusterConfiguration {
        ClusterConfiguration(.configurationFile(configurationFile.string), as: user, deadlines: deadlines)
    }
}

func unique(_ word: String) -> String { "\(word)-\(String(UInt32.random(in: 0 ... .max), radix: 36))" }

/// The error that `body` ends with.
func failure(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> CephError? {
    do {
        try await body()
    } catch {
        if let error = error as? CephError { return error }
        Issue.record("not a CephError: \(error)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("no error", sourceLocation: sourceLocation)
    return nil
}

/// How long `body` takes.
func duration(of body: () async throws -> Void) async rethrows -> Duration {
    let start = ContinuousClock.now
    try await body()
    return ContinuousClock.now - start
}

/// Runs the body with an image that is removed afterwards, whatever snapshots it has by then.
func withScratchImage<R>(
    size: UInt64 = 16 << 20, _ options: ImageOptions = .init(), in pool: Pool? = nil,
    _ body: (Pool, String) async throws -> R
) async throws -> R {
    let pool = if let pool { pool } else { try await Live.images() }
    let name = unique("image")
    try await pool.createImage(name, size: size, options)
    do {
        let result = try await body(pool, name)
        try await removeImage(name, in: pool)
        return result
    } catch {
        try? await removeImage(name, in: pool)
        throw error
    }
}

/// Removes an image with its snapshots.
func removeImage(_ name: String, in pool: Pool) async throws {
    try await pool.withImage(name, for: .readWrite) { image in
        if try await image.mirrorInfo().state == .enabled { try await image.disableMirroring(force: true) }
        for snapshot in try await image.snapshots() {
            if snapshot.kind == .user, try await image.isSnapshotProtected(snapshot.name) {
                try await image.unprotectSnapshot(snapshot.name)
            }
            try await image.removeSnapshot(id: snapshot.id)
        }
    }
    try await pool.removeImage(name)
}

/// Bytes that differ from place to place and from seed to seed.
func pattern(_ seed: UInt64, _ count: Int) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

/// Time since 1970.
func now() -> Duration { .seconds(time(nil)) }

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Atomic(0)
    func add() { count.wrappingAdd(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

extension Pool {
    /// The error of a compound write; nil when it was applied.
    func refusal(of object: String, _ body: (inout WriteOperation) -> Void) async -> CephError? {
        var operation = WriteOperation()
        body(&operation)
        do throws(CephError) {
            try await apply(operation, to: object)
            return nil
        } catch { return error }
    }

    /// The error of a compound read; nil when it was performed.
    func readRefusal(of object: String, _ body: (inout ReadOperation) -> Void) async -> CephError? {
        var operation = ReadOperation()
        body(&operation)
        do throws(CephError) {
            try await perform(operation, on: object)
            return nil
        } catch { return error }
    }
}
