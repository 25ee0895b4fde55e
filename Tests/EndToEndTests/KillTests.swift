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

                    try await scene.siteB.slowDown(by: .milliseconds(2))
                    let victim = try await scene.startDaemon(on: scene.siteB)
                    try await victim.waitForLog("reason=starting")
                    try await ContinuousClock().sleep(for: .milliseconds(random.below(round.isMultiple(of: 4) ? 400 : 800)))
                    try await victim.kill()
                    try await scene.siteB.goAtFullSpeed()
                    if try await scene.isUnfinished(images.last!) { cut += 1 }

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
    /// Says whether site B has the image only in part: not at all, or with an unfinished snapshot.
    func isUnfinished(_ image: String) async throws -> Bool {
        guard let snapshots = try? await siteB.snapshots(image).filter(\.isMirror), let last = snapshots.last else { return true }
        return !last.isComplete
    }
}
