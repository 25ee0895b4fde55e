import CephSandbox
import Foundation

/// Compares an image on both sites by what the stock `rbd` says of it.
struct ImageJudge {
    let image: String
    var diffs = Diffs.none
    /// Features that each side decides for itself.
    var ownFeatures: Set = ["non-primary", "data-pool"]
    /// Whether object maps must be valid, or not, on both sides.
    var comparesFlags = true

    /// Whether what `rbd diff` and `rbd du` report must agree too.
    enum Diffs {
        case none
        case wholeObjects
        /// And a chain of incremental backups of the second side must restore its every point. Byte ranges cannot be compared:
        /// they include what changed up to another snapshot and back, and each side has mirror snapshots of its own.
        case backups
        /// Backups, but not what changed: each side found that out for itself.
        case backupsAlone
    }

    /// - Throws: ``Disagreement`` with everything that differs.
    func compare(_ first: Site, _ second: Site) async throws {
        async let left = facts(of: first)
        async let right = facts(of: second)
        var (ours, theirs) = try await (left, right)
        if diffs == .backups || diffs == .backupsAlone {
            for (point, restored) in try await restoredBackups(of: second) {
                ours["backup, \(point)"] = ours[point]
                theirs["backup, \(point)"] = restored
            }
        }
        let differing = Set(ours.keys).union(theirs.keys).filter { ours[$0] != theirs[$0] }.sorted()
        guard differing.isEmpty else {
            var lines = differing.map { key in
                let (left, right) = Self.excess(ours[key], theirs[key])
                return "\(key):\n  \(first.name): \(left)\n  \(second.name): \(right)"
            }
            if differing.contains("content") { lines.append(try await differingBlocks(first, second)) }
            throw Disagreement(image: image, lines: lines)
        }
    }

    /// Where the heads of two sides differ, by blocks.
    private func differingBlocks(_ first: Site, _ second: Site) async throws -> String {
        let size = 4096
        let export = ["export", "--no-progress", image, "-"]
        var contents: [[UInt8]] = []
        for site in [first, second] {
            contents.append(try await site.cluster.output("rbd", ["-p", site.container] + export, timeout: .seconds(300)).standardOutput)
        }
        let blocks = stride(from: 0, to: min(contents[0].count, contents[1].count), by: size).filter { start in
            let end = min(start + size, contents[0].count, contents[1].count)
            return contents[0][start..<end] != contents[1][start..<end]
        }
        let listed = blocks.prefix(40).map { start in
            "\(start)" + zip([first, second], contents).filter { $1[start..<min(start + size, $1.count)].allSatisfy { $0 == 0 } }
                .map { " (zeroes on \($0.0.name))" }.joined()
        }
        return "\(blocks.count) blocks of \(size) bytes differ, at \(listed.joined(separator: ", "))"
    }

    /// What each side has that the other has not, by lines.
    private static func excess(_ left: String?, _ right: String?) -> (String, String) {
        let (left, right) = ((left ?? "-").split(separator: "\n"), (right ?? "-").split(separator: "\n"))
        let texts = [left.filter { !right.contains($0) }, right.filter { !left.contains($0) }].map { lines in
            lines.prefix(8).joined(separator: "; ") + (lines.count > 8 ? "; \(lines.count - 8) more" : "")
        }
        return (texts[0], texts[1])
    }

    /// Everything that must be the same on both sides.
    func facts(of site: Site) async throws -> [String: String] {
        let spec = site.spec(image)
        let info = try await site.cluster.rbdJSON("info", spec, as: Info.self)
        let snapshots = try await site.cluster.rbdJSON("snap", "ls", spec, as: [Snapshot].self).sorted { $0.name < $1.name }
        var facts = [
            "info": info.comparable(without: ownFeatures, withFlags: comparesFlags), "snapshots": snapshots.map { "\($0)" }.joined(separator: ", "),
            "metadata": try await site.rbd("image-meta", "ls", spec),
            "content": try await Self.checksum(spec, site),
        ]
        for snapshot in snapshots {
            facts["content of \(snapshot.name)"] = try await Self.checksum("\(spec)@\(snapshot.name)", site)
        }
        if diffs == .wholeObjects || diffs == .backups { facts.merge(try await extents(snapshots, site)) { $1 } }
        return facts
    }

    /// Backs an image up from snapshot to snapshot into an image beside it; returns the checksums at each point.
    private func restoredBackups(of site: Site) async throws -> [String: String] {
        let spec = site.spec(image), copy = site.spec("backup-of-\(image)")
        let snapshots: [Snapshot] = try await site.cluster.rbdJSON("snap", "ls", spec)
        let points = snapshots.sorted { $0.id < $1.id }.map(\.name)
        try await site.rbd("create", copy, "--size", "1M")
        var restored: [String: String] = [:]
        for (start, end) in zip([nil] + points.map(Optional.some), points.map(Optional.some) + [nil]) {
            let script = "set -o pipefail; rbd export-diff --no-progress $1 \"$2\" - | rbd import-diff --no-progress - \"$3\""
            let from = start.map { "--from-snap \($0)" } ?? ""
            try await site.cluster.run("bash", ["-c", script, "bash", from, end.map { "\(spec)@\($0)" } ?? spec, copy], timeout: .seconds(300))
            restored[end.map { "content of \($0)" } ?? "content"] = try await Self.checksum(copy, site)
        }
        try await site.rbd("snap", "purge", "--no-progress", copy)
        try await site.rbd("rm", "--no-progress", copy)
        return restored
    }

    /// Objects that changed between all neighbours in time, and the space used.
    private func extents(_ snapshots: [Snapshot], _ site: Site) async throws -> [String: String] {
        let spec = site.spec(image)
        var facts: [String: String] = [:]
        let ends = snapshots.sorted { $0.id < $1.id }.map(\.name)
        for (start, end) in zip([nil] + ends.map(Optional.some), ends.map(Optional.some) + [nil]) {
            let from = start.map { ["--from-snap", $0] } ?? []
            let point = end.map { "\(spec)@\($0)" } ?? spec
            facts["diff \(start ?? "")..\(end ?? "")"] = try await site.cluster.rbd(["diff", "--whole-object", point] + from)
        }
        let usage = try await site.cluster.rbdJSON("du", spec, as: Usage.self)
        facts["usage"] = usage.images.map { "\($0.snapshot ?? "HEAD"): \($0.used_size)" }.sorted().joined(separator: ", ")
        return facts
    }

    static func checksum(_ spec: String, _ site: Site) async throws -> String {
        // The tools find the cluster in the environment.
        let script = "set -o pipefail; rbd export --no-progress \"$1\" - | cksum"
        return try await site.cluster.run("bash", ["-c", script, "bash", spec], timeout: .seconds(300))
    }

    private struct Info: Decodable {
        var size: Int
        var order: Int
        var features: [String]
        var stripe_unit: Int?
        var stripe_count: Int?
        var flags: [String]

        func comparable(without ownFeatures: Set<String>, withFlags: Bool) -> String {
            let kept = features.filter { !ownFeatures.contains($0) }.sorted()
            return "\(size) bytes, order \(order), \(kept), stripes \(stripe_unit ?? 0) \(stripe_count ?? 0), flags \(withFlags ? flags : [])"
        }
    }

    private struct Snapshot: Decodable, CustomStringConvertible {
        var id: UInt64
        var name: String
        var size: UInt64
        var protected: String
        var description: String { "\(name) \(size) protected \(protected)" }
    }

    private struct Usage: Decodable {
        var images: [Entry]
        struct Entry: Decodable {
            var snapshot: String?
            var used_size: UInt64
        }
    }
}

/// The two sides of a mirrored image differ.
struct Disagreement: Error, CustomStringConvertible {
    let image: String
    let lines: [String]
    var description: String { "the sides of \(image) differ:\n" + lines.joined(separator: "\n") }
}
