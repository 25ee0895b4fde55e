import CephCore
import CephSandbox
import Foundation
import TestSupport

/// What the live suites share: one small cluster and one connection; each test has images of its own.
enum Live {
    /// Snapshot ids come from the monitor, which is not to wait a second for company, and removed ones are trimmed at once.
    static let configuration = SandboxConfiguration(
        manager: false, options: ["paxos propose interval": "0.05", "osd snap trim sleep hdd": "0", "osd snap trim sleep ssd": "0"])

    private static let started = Task {
        let cluster = try await SandboxCluster.shared(configuration)
        try await cluster.createPool("images")
        try await cluster.createPool("data")
        return cluster
    }

    private static let connected = Task {
        try await Cluster.connect(.configurationFile(started.value.configurationFile.string))
    }

    static func sandbox() async throws -> SandboxCluster { try await started.value }

    static func images() async throws -> Pool { try await connected.value.pool("images") }

    /// How often tests that repeat themselves do, with other random choices.
    static let count = ProcessInfo.processInfo.environment["CEPH_MIRRORING_COUNT"].flatMap { Int($0) } ?? 1

    static func unique(_ word: String) -> String { "\(word)-\(String(UInt32.random(in: 0 ... .max), radix: 36))" }

    /// Runs the body with images of a name that begins so, which are removed afterwards, clones before their parents.
    static func withImages<R>(_ body: (Pool, _ name: String) async throws -> R) async throws -> R {
        let pool = try await images()
        let name = unique("delta")
        do {
            let result = try await body(pool, name)
            try await remove(name, pool)
            return result
        } catch {
            try? await remove(name, pool)
            throw error
        }
    }

    private static func remove(_ prefix: String, _ pool: Pool) async throws {
        for image in try await pool.images().filter({ $0.name.hasPrefix(prefix) }).sorted(by: { $0.name < $1.name }) {
            try await pool.withImage(image.name, for: .readWrite) { image in
                if try await image.mirrorInfo().state == .enabled { try await image.disableMirroring(force: true) }
                for snapshot in try await image.snapshots() {
                    if snapshot.kind == .user, try await image.isSnapshotProtected(snapshot.name) {
                        try await image.unprotectSnapshot(snapshot.name)
                    }
                    try await image.removeSnapshot(id: snapshot.id)
                }
            }
            try await pool.removeImage(image.name)
        }
    }
}

extension Image {
    /// All bytes at the point it was opened at.
    func contents() async throws -> [UInt8] {
        let size = try await size()
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: size, by: 4 << 20) { bytes += try await read(start..<min(start + 4 << 20, size)) }
        return bytes
    }
}

extension Pool {
    /// All bytes of an image at a user snapshot, or at HEAD.
    func contents(of image: String, at snapshot: String?) async throws -> [UInt8] {
        try await withImage(image, at: snapshot.map { .snapshot($0) }) { try await $0.contents() }
    }
}

extension SandboxCluster {
    /// What `rbd export` writes of an image at a user snapshot, or at HEAD.
    func exported(_ image: String, at snapshot: String?) async throws -> [UInt8] {
        let output = try await output("rbd", ["export", "--no-progress", "images/\(image)" + (snapshot.map { "@\($0)" } ?? ""), "-"])
        guard output.exit.isSuccess else { throw StockError(text: output.errorText) }
        return output.standardOutput
    }

    /// What `rbd export-diff` writes.
    func exportedDiff(_ image: String, from start: String?, to end: String?) async throws -> [UInt8] {
        let output = try await output(
            "rbd", ["export-diff", "--no-progress"] + (start.map { ["--from-snap", $0] } ?? [])
                + ["images/\(image)" + (end.map { "@\($0)" } ?? ""), "-"])
        guard output.exit.isSuccess else { throw StockError(text: output.errorText) }
        return output.standardOutput
    }

    /// Runs `rbd import-diff`.
    func importDiff(_ stream: [UInt8], into image: String) async throws {
        let output = try await output("rbd", ["import-diff", "--no-progress", "-", "images/\(image)"], input: stream)
        guard output.exit.isSuccess else { throw StockError(text: output.errorText) }
    }
}

struct StockError: Error {
    let text: String
}

