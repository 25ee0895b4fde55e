import CephSandbox

/// One side of a scene: a cluster and the scene's pool there, or a namespace of it.
struct Site: Sendable {
    let cluster: SandboxCluster
    let pool: String
    /// Empty for the default namespace.
    var namespace: String
    /// For what no stock tool does, and for what is looked at time and again.
    let client: SiteClient

    init(_ cluster: SandboxCluster, pool: String, namespace: String) {
        (self.cluster, self.pool, self.namespace) = (cluster, pool, namespace)
        client = SiteClient(cluster)
    }

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
