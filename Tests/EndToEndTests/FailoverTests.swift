import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// The stock `rbd` moves the primary from site to site and back, with our daemon on both.
    @Suite struct FailoverTests {
        @Test func threeRoundsThereAndBack() async throws {
            try await withScene("failover") { scene in
                let daemons = [try await scene.startDaemon(on: scene.siteA), try await scene.startDaemon(on: scene.siteB)]
                try await scene.createImage("disk", mebibytes: 32)
                var workload = SourceWorkload(SeededRandom.forRun("failover"), size: 32 << 20)
                try await workload.fill { try await scene.siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")

                var counts: [[Int]] = []
                for round in 1...Knobs.count(3) {
                    for primary in scene.sites {
                        let secondary = scene.other(than: primary)
                        try await primary.write(workload.churned(), to: "disk")
                        try await primary.rbd("snap", "create", "--no-progress", "\(primary.spec("disk"))@\(primary.name)-\(round)")
                        try await scene.takeMirrorSnapshot("disk", on: primary)
                        try await scene.waitForSync("disk", from: primary)
                        // What is written last goes with the demotion.
                        try await primary.write(workload.churned(), to: "disk")
                        try await scene.handOver("disk", from: primary)
                        // The daemon at the new secondary has taken the promotion in and removed what it replaces.
                        try await scene.waitForSync("disk", from: secondary)
                        try await ImageJudge(image: "disk").compare(scene.siteA, scene.siteB)
                        try await secondary.write(workload.churned(), to: "disk")
                        try await scene.takeMirrorSnapshot("disk", on: secondary)
                        try await scene.waitForSync("disk", from: secondary)
                        try await ImageJudge(image: "disk").compare(scene.siteA, scene.siteB)
                        try await primary.waitForStatus("disk", state: "up+replaying")
                        try await secondary.waitForStatus("disk", state: "up+stopped")
                    }
                    counts.append(try await scene.mirrorSnapshotCounts("disk"))
                }
                guard counts.allSatisfy({ $0 == counts[0] }) else {
                    throw ToolFailure(tool: "rbd snap ls", text: "mirror snapshots on both sides after each round: \(counts)")
                }
                try await scene.checkObjectMaps("disk", on: scene.siteA)
                for daemon in daemons { try await daemon.terminate() }
                for site in scene.sites { try await Leftovers(site: site).expectNone(images: ["disk"]) }
            }
        }
    }
}

extension EndToEnd.FailoverTests {
    /// Whoever promotes as soon as the last point is complete meets a daemon that is still at work on the image.
    @Test func promotedAtOnce() async throws {
        try await withScene("at-once") { scene in
            let daemon = try await scene.startDaemon(on: scene.siteB)
            var workload = SourceWorkload(SeededRandom.forRun("at once"), size: 16 << 20)
            // As monitors are by default: what has to be removed after the sync waits for them.
            try await scene.siteB.proposeMaps(every: .seconds(1))
            for image in (1...4).map({ "disk-\($0)" }) {
                try await scene.createImage(image, mebibytes: 16)
                try await workload.fill { try await scene.siteA.write($0, to: image) }
                try await scene.takeMirrorSnapshot(image)
                try await scene.waitForSync(image)
                try await scene.siteA.write(workload.churned(), to: image)
                try await scene.siteA.mirror("demote", image: image)
                let demotion = try await scene.siteA.lastMirrorSnapshot(image).id
                try await waitUntil("the demotion is complete", every: .milliseconds(5)) {
                    let last = try await scene.siteB.lastMirrorSnapshot(image)
                    return last.isComplete && last.namespace.primary_snap_id == demotion
                }
                try await scene.siteB.mirror("promote", image: image)
                try await ImageJudge(image: image).compare(scene.siteA, scene.siteB)
                try await scene.siteB.waitForStatus(image, state: "up+stopped", within: .seconds(10))
            }
            try await scene.siteB.proposeMaps(every: .milliseconds(50))
            // Else the promotions came too late, and the test shows nothing.
            #expect(daemon.logTail(lines: 10_000).contains("a promotion asks for the image"))
            try await daemon.terminate()
        }
    }
}

extension Scene {
    func mirrorSnapshotCounts(_ image: String) async throws -> [Int] {
        var counts: [Int] = []
        for site in sites { counts.append(try await site.snapshots(image).filter(\.isMirror).count) }
        return counts
    }
}
