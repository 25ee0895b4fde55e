import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Our daemon dies at any moment; the next one goes on where it was.
    @Suite struct KillTests {
        @Test func killedInMidSync() async throws {
            try await withScene("killed") { scene in
                var random = SeededRandom.forRun("killed")
                var images = ["delta"]
                var workload = SourceWorkload(random, size: 24 << 20)
                try await scene.createImage("delta", mebibytes: 24, options: ["--object-size", "256K"])
                var cut = 0
                for round in 1...Knobs.count(20) {
                    try await workload.fill { try await scene.siteA.write($0, to: "delta") }
                    try await scene.siteA.write(workload.churned(), to: "delta")
                    if round.isMultiple(of: 5) {
                        try await scene.siteA.rbd("snap", "create", "--no-progress", "\(scene.siteA.spec("delta"))@round-\(round)")
                        try await scene.siteA.write(workload.churned(), to: "delta")
                    }
                    try await scene.takeMirrorSnapshot("delta")
                    if round.isMultiple(of: 4) {
                        images.append("new-\(round)")
                        try await scene.createImage("new-\(round)", mebibytes: 24, options: ["--object-size", "256K"])
                        try await workload.fill { try await scene.siteA.write($0, to: "new-\(round)") }
                        try await scene.takeMirrorSnapshot("new-\(round)")
                    }

                    // Slow enough for a sync to take longer than the moment is drawn from.
                    try await scene.siteB.slowDown(by: .milliseconds(5))
                    let victim = try await scene.startDaemon(on: scene.siteB)
                    try await victim.waitForLog(round.isMultiple(of: 3) ? "reason=starting" : "reason=syncing")
                    try await ContinuousClock().sleep(for: .milliseconds(random.below(400)))
                    try await victim.kill()
                    try await scene.siteB.goAtFullSpeed()
                    if victim.logTail(lines: 1000).contains("reason=syncing"), try await scene.isUnfinished("delta") { cut += 1 }

                    let restarted = ContinuousClock.now
                    let daemon = try await scene.startDaemon(on: scene.siteB)
                    try await scene.siteB.waitForStatus("delta", "at work again", within: .seconds(5)) { status in
                        status.state == "up+replaying"
                    }
                    print("round \(round): at work \(restarted.duration(to: .now)) after the restart")
                    for image in Set(["delta", images.last!]) {
                        try await scene.waitForSync(image)
                        try await ImageJudge(image: image).compare(scene.siteA, scene.siteB)
                    }
                    try await daemon.terminate()
                    try await Leftovers(site: scene.siteB).expectNone(images: images)
                }
                // Else the moments were chosen badly, and the test shows nothing.
                guard cut > 0 else { throw ToolFailure(tool: "the test", text: "no sync was cut off") }
                print("\(cut) syncs were cut off")
            }
        }
    }
}

extension Scene {
    /// Says whether the newest mirror snapshot of site A is not complete on site B.
    func isUnfinished(_ image: String) async throws -> Bool {
        let newest = try await siteA.lastMirrorSnapshot(image).id
        // Without an image there is nothing to list.
        guard let copies = try? await siteB.snapshots(image) else { return true }
        return !copies.contains { $0.isComplete && $0.namespace.primary_snap_id == newest }
    }
}
