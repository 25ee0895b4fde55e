import CephSandbox

/// One side of a scene: a cluster and the scene's pool there, or a namespace of it.
struct Site: Sendable {
    let cluster: SandboxCluster
    let pool: String
    /// Empty for the default namespace.
    var namespace = ""

    var name: String { cluster.name }

    /// What the stock `rbd` calls the pool and namespace.
    var container: String { namespace.isEmpty ? pool : "\(pool)/\(namespace)" }

    func spec(_ image: String) -> String { "\(container)/\(image)" }

    @discardableResult
    func rbd(_ arguments: String...) async throws -> String { try await cluster.rbd(arguments) }

    @discardableResult
    func mirror(_ verb: String..., image: String) async throws -> String {
        try await cluster.rbd(["mirror", "image"] + verb.prefix(1) + [spec(image)] + verb.dropFirst())
    }

    /// Writes a stream of changes to an image.
    func write(_ stream: DiffStream, to image: String) async throws {
        let result = try await cluster.output("rbd", ["import-diff", "--no-progress", "-", spec(image)], input: stream.closed)
        guard result.exit.isSuccess else { throw ToolFailure(tool: "rbd import-diff", text: result.errorText) }
    }

    /// Lists the snapshots of every namespace.
    func snapshots(_ image: String) async throws -> [SnapshotListing] {
        try await cluster.rbdJSON("snap", "ls", "--all", spec(image))
    }

    /// Runs `rados` on the site's pool, or on another one, in the site's namespace.
    func rados(_ arguments: String..., in other: String? = nil) async throws -> String {
        try await cluster.run("rados", ["-p", other ?? pool] + (namespace.isEmpty ? [] : ["-N", namespace]) + arguments)
    }

    /// Names of the pool's objects, or of another pool's.
    func objects(in other: String? = nil) async throws -> [String] {
        try await rados("ls", in: other).split(separator: "\n").map(String.init).sorted()
    }

    func omapKeys(_ object: String) async throws -> [String] {
        try await rados("listomapkeys", object).split(separator: "\n").map(String.init)
    }
}

struct ToolFailure: Error, CustomStringConvertible {
    let tool: String
    let text: String
    var description: String { "\(tool) failed: \(text)" }
}

/// An entry of `rbd snap ls --all --format json`.
struct SnapshotListing: Decodable, Sendable {
    struct Namespace: Decodable, Sendable {
        var type: String
        var state: String?
        var complete: Bool?
        var primary_snap_id: UInt64?
        var mirror_peer_uuids: [String]?
        var last_copied_object_number: UInt64?
    }

    var id: UInt64
    var name: String
    var size: UInt64
    var namespace: Namespace

    /// Whether it is being removed.
    var isTrash: Bool { namespace.type == "trash" }
    var isMirror: Bool { namespace.type == "mirror" }
    var isComplete: Bool { namespace.complete ?? false }
    /// Whether it stands for a mirror snapshot of the other site.
    var isCopy: Bool { namespace.primary_snap_id != nil }
}
