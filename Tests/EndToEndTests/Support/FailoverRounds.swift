import CephSandbox
import TestSupport

/// Moves the primary of one image from site to site and judges it on every way.
struct FailoverRounds {
    let scene: Scene
    let image = "disk"
    /// Makes of the daemons by site.
    private let makes: [String: AnyDaemon.Make]
    private var workload: SourceWorkload
    private var points: [String] = []
    /// Mirror snapshots on both sites after each round.
    private(set) var counts: [[Int]] = []

    private static let mebibytes = 32

    init(_ scene: Scene, a: AnyDaemon.Make, b: AnyDaemon.Make) {
        self.scene = scene
        makes = [scene.siteA.name: a, scene.siteB.name: b]
        workload = SourceWorkload(SeededRandom.forRun(scene.siteA.pool), size: Self.mebibytes << 20)
        workload.discards = ![a, b].contains(.stock)
    }

    /// Makes the image and waits for its replica.
    mutating func begin(on primary: Site) async throws {
        try await scene.createImage(image, on: primary, mebibytes: Self.mebibytes)
        try await workload.fill { [image] in try await primary.write($0, to: image) }
        try await scene.takeMirrorSnapshot(image, on: primary)
        try await isInStep(from: primary)
    }

    /// From a site to the other one and back.
    mutating func thereAndBack(from first: Site, round: Int) async throws {
        let start = ContinuousClock.now
        for primary in [first, scene.other(than: first)] {
            try await work(on: primary, point: "\(primary.name)-\(round)")
            try await isInStep(from: primary)
            // What is written last goes with the demotion.
            try await primary.write(workload.churned(), to: image)
            try await handOver(from: primary)
            let secondary = scene.other(than: primary)
            try await scene.checkObjectMaps(image, on: secondary)
            try await isInStep(from: secondary)
            try await secondary.write(workload.churned(), to: image)
            try await scene.takeMirrorSnapshot(image, on: secondary)
            try await isInStep(from: secondary)
        }
        counts.append(try await scene.mirrorSnapshotCounts(image))
        print("round \(round): \(start.duration(to: .now)), mirror snapshots \(counts.last!)")
    }

    /// Writes, user snapshots that come and go, and a mirror snapshot.
    mutating func work(on primary: Site, point: String) async throws {
        try await primary.write(workload.churned(), to: image)
        try await primary.rbd("snap", "create", "--no-progress", "\(primary.spec(image))@\(point)")
        points.append(point)
        if points.count > 4 {
            try await primary.rbd("snap", "rm", "--no-progress", "\(primary.spec(image))@\(points.removeFirst())")
        }
        try await primary.write(workload.churned(), to: image)
        try await scene.takeMirrorSnapshot(image, on: primary)
    }

    mutating func write(to site: Site) async throws { try await site.write(workload.churned(), to: image) }

    /// Demotes the primary, waits until the other site has all of it, and promotes there.
    func handOver(from source: Site) async throws {
        let target = scene.other(than: source)
        try await source.mirror("demote", image: image)
        try await waitForSync(from: source)
        if make(on: target) == .stock {
            // It still has the image then, and refuses to part with it.
            try await target.waitForStatus(image, state: "up+unknown", within: Self.patience)
        }
        try await target.mirror("promote", image: image)
    }

    /// Waits until the other site has all of a primary and says so, and compares the two.
    func isInStep(from primary: Site) async throws {
        let secondary = scene.other(than: primary)
        try await waitForSync(from: primary)
        try await secondary.waitForStatus(image, "in step", within: Self.patience) {
            $0.state == "up+replaying" && $0.description.contains("\"replay_state\":\"idle\"")
        }
        try await primary.waitForStatus(image, state: "up+stopped", within: Self.patience)
        for site in scene.sites {
            let status = try await site.rbd("mirror", "image", "status", site.spec(image))
            guard !status.contains("split-brain") else { throw ToolFailure(tool: "rbd mirror image status", text: status) }
        }
        try await ImageJudge(image: image).compare(scene.siteA, scene.siteB)
    }

    /// The primary falls silent, the other site takes its place by force, and what was primary is made anew when it is back.
    mutating func disaster(on lost: Site, round: Int) async throws {
        let start = ContinuousClock.now
        let survivor = scene.other(than: lost)
        try await work(on: lost, point: "\(lost.name)-\(round)")
        try await isInStep(from: lost)
        let content = try await survivor.checksum(image)
        // Nobody will see this again.
        try await lost.write(workload.churned(), to: image)
        try await lost.whileFrozen {
            try await survivor.mirror("promote", "--force", image: image)
            guard try await survivor.checksum(image) == content else {
                throw ToolFailure(tool: "rbd mirror image promote --force", text: "it is not the last point that is there now")
            }
            try await scene.checkObjectMaps(image, on: survivor)
            try await survivor.write(workload.churned(), to: image)
        }
        try await lost.mirror("demote", image: image)
        try await lost.waitForStatus(image, "in a split-brain", within: Self.patience) { $0.description.hasPrefix("split-brain: ") }
        let old = try await lost.imageID(image)
        try await lost.mirror("resync", image: image)
        try await lost.waitUntilGone(old)
        try await work(on: survivor, point: "\(survivor.name)-\(round)")
        try await isInStep(from: survivor)
        counts.append(try await scene.mirrorSnapshotCounts(image).sorted())
        print("disaster \(round): \(start.duration(to: .now)), mirror snapshots \(counts.last!)")
    }

    /// No round left more mirror snapshots than the second one.
    func expectNoGrowth() throws {
        let usual = counts.prefix(2).last ?? []
        guard counts.allSatisfy({ zip($0, usual).allSatisfy { $0 <= $1 } }) else {
            throw ToolFailure(tool: "rbd snap ls", text: "mirror snapshots on both sides after each round: \(counts)")
        }
    }

    func make(on site: Site) -> AnyDaemon.Make { makes[site.name]! }

    private func waitForSync(from source: Site) async throws {
        let isOurs = make(on: scene.other(than: source)) == .ours
        try await scene.waitForSync(image, from: source, within: Self.patience, prunes: isOurs)
    }

    /// A stock daemon looks again after 30 s.
    private static let patience = Duration.seconds(120)
}

extension Scene {
    func mirrorSnapshotCounts(_ image: String) async throws -> [Int] {
        var counts: [Int] = []
        for site in sites { counts.append(try await site.snapshots(image).filter(\.isMirror).count) }
        return counts
    }
}
