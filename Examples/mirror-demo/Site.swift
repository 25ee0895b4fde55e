import CephCore
import CephSandbox
import Foundation
import RBDImage
import SystemPackage

/// One cluster, our daemon on it, and what is looked at there.
struct Site: Sendable {
    static let poolName = "rbd"
    static let image = "disk"
    static let spec = "\(poolName)/\(image)"

    let cluster: SandboxCluster
    let pool: Pool
    let daemon: SandboxProcess

    var name: String { cluster.name }

    /// Starts the daemon as its own user with the capabilities that the stock one is given.
    static func start(_ cluster: SandboxCluster) async throws -> Site {
        let user = "client.rbd-mirror.demo"
        try await cluster.createUser(user, ["mon": "profile rbd-mirror", "osd": "profile rbd"])
        let daemon = try SandboxProcess.start(
            SandboxProcess.sibling("rbd-mirror").string,
            [
                "-c", cluster.configurationFile.string, "-n", user, "-d", "--debug-rbd-mirror", "5",
                "--admin-socket", cluster.folder.appending("rbd-mirror.asok").string,
            ], log: cluster.folder.appending("rbd-mirror.log"))
        let connection = try await Cluster.connect(.configurationFile(cluster.configurationFile.string), as: "client.admin")
        return Site(cluster: cluster, pool: try await connection.pool(poolName), daemon: daemon)
    }

    // MARK: The image's header, as the library reads it

    func header() async throws -> ImageHeader? {
        guard let id = try await pool.imageID(named: Self.image) else { return nil }
        // An image that is being made has its name before its header.
        do { return try await pool.imageHeader(id) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// The newest mirror snapshot taken here as the primary site.
    func newestPoint() async throws -> ImageSnapshot? {
        try await header()?.mirrorSnapshots.last { $0.mirror!.complete && $0.mirror!.state.isPrimary }
    }

    /// Whether a point of the other site is complete here.
    func holds(_ point: UInt64) async throws -> Bool {
        try await header()?.mirrorSnapshots.contains {
            $0.mirror!.complete && $0.mirror!.state.isNonPrimary && $0.mirror!.primarySnapshotID >= point
        } ?? false
    }

    /// What the daemon here says of its progress; what `rbd mirror image status` shows.
    func figures() async throws -> ReplayFigures? {
        let directory = MirrorDirectory(pool)
        guard let id = try await pool.imageID(named: Self.image) else { return nil }
        let record = try await directory.image(id)
        guard let record, let status = try await directory.status(ofGlobalID: record.globalID)?.local else { return nil }
        return ReplayFigures(description: status.description)
    }

    // MARK: The stock tools

    @discardableResult
    func mirrorImage(_ command: String, _ options: String...) async throws -> String {
        try await cluster.rbd(["mirror", "image", command, Self.spec] + options)
    }

    /// The state and figures that the stock `rbd mirror image status` reports.
    func stockStatus() async throws -> (state: String, figures: ReplayFigures?) {
        struct Status: Decodable {
            var state: String
            var description: String
        }
        let status = try await cluster.rbdJSON("mirror", "image", "status", Self.spec, as: Status.self)
        return (status.state, ReplayFigures(description: status.description))
    }

    /// What the stock `rbd mirror pool status` says of the pool, its daemons and its images.
    func stockHealth() async throws -> [String] {
        struct Status: Decodable {
            var summary: Summary
            struct Summary: Decodable {
                var health: String
                var daemon_health: String
                var image_health: String
            }
        }
        let summary = try await cluster.rbdJSON("mirror", "pool", "status", Self.poolName, as: Status.self).summary
        return [summary.health, summary.daemon_health, summary.image_health]
    }

    /// The SHA-256 of what the stock `rbd export` reads.
    func checksum(ofSnapshot snapshot: String? = nil) async throws -> String {
        let spec = Self.spec + (snapshot.map { "@\($0)" } ?? "")
        // The tool finds the cluster in the environment.
        let script = "set -o pipefail; rbd export --no-progress \"$1\" - | sha256sum"
        return String(try await cluster.run("bash", ["-c", script, "bash", spec], timeout: .seconds(120)).prefix(64))
    }

    /// Writes random blocks all over the image.
    func write(mebibytes: Int, block: String = "4K") async throws {
        try await cluster.run(
            "rbd",
            ["bench", "--io-type", "write", "--io-pattern", "rand", "--io-size", block, "--io-total", "\(mebibytes)M",
             "--io-threads", "16", Self.spec], timeout: .seconds(120))
    }
}
