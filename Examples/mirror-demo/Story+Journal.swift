import CephCore
import CephSandbox
import Foundation
import RBDImage

/// A second image, which is mirrored by its journal: each write by itself, without snapshots.
extension Story {
    private static let image = "ledger"
    private static let spec = "\(Site.poolName)/\(image)"

    func followJournal() async throws {
        let replica = try await narrator.step("a second image, mirrored by its journal") {
            try await siteA.cluster.rbd(
                "create", Self.spec, "--size", "64M", "--image-feature", "layering,exclusive-lock,object-map,fast-diff,journaling")
            try await siteA.cluster.rbd("mirror", "image", "enable", Self.spec, "journal")
            try await waitUntil("\(Self.spec) is replayed at site-b", within: .seconds(60), every: .milliseconds(200)) {
                try await stateAtB() == "up+replaying"
            }
            return try await siteB.pool.imageHeader(try await siteB.pool.imageID(named: Self.image) ?? "")
        }
        let seconds = try await liveWrite(replica)
        narrator.done("a write, until it is readable at site-b", seconds)
        try await narrator.step("16 MiB of random writes and a user snapshot") {
            try await siteA.cluster.run(
                "rbd", ["bench", "--io-type", "write", "--io-pattern", "rand", "--io-size", "4K", "--io-total", "16M", Self.spec],
                timeout: .seconds(120))
            try await siteA.cluster.rbd("snap", "create", "--no-progress", "\(Self.spec)@end")
            try await waitUntil("the snapshot is at site-b", within: .seconds(60), every: .milliseconds(20)) {
                try await siteB.pool.imageHeader(replica.id).userSnapshots.contains { $0.name == "end" }
            }
        }
        try await narrator.step("the same bytes in the snapshot on both sites") {
            async let first = checksum(siteA), second = checksum(siteB)
            let sums = try await (first, second)
            guard sums.0 == sums.1 else { throw DemoError("\(sums.0) at site-a, \(sums.1) at site-b") }
        }
    }

    /// Returns how long after its acknowledgement a write was read from the replica's object.
    private func liveWrite(_ replica: ImageHeader) async throws -> Double {
        let bytes = [UInt8](repeating: 7, count: 4096)
        let image = try await siteA.pool.openImage(Self.image, for: .readWrite)
        try await image.write(bytes, at: 0)
        try await image.flush()
        let start = ContinuousClock.now
        try await waitUntil("the write is readable at site-b", within: .seconds(30), every: .milliseconds(2)) {
            (try? await siteB.pool.read(replica.objectName(0), length: bytes.count)) == bytes
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        try await image.close()
        return seconds
    }

    private func stateAtB() async throws -> String? {
        struct Status: Decodable { var state: String }
        return try? await siteB.cluster.rbdJSON("mirror", "image", "status", Self.spec, as: Status.self).state
    }

    private func checksum(_ site: Site) async throws -> String {
        let script = "set -o pipefail; rbd export --no-progress \"$1\" - | sha256sum"
        return String(try await site.cluster.run("bash", ["-c", script, "bash", "\(Self.spec)@end"], timeout: .seconds(120)).prefix(64))
    }
}
