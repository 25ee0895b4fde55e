import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// An OSD of either site ends in mid-sync and comes back, at once or later; the same run of the daemon goes on.
    @Suite struct OSDRestartTests {
        enum Side: String, CaseIterable, Sendable { case source, target }

        @Test(arguments: Side.allCases) func restartedInMidSync(_ side: Side) async throws {
            try await withScene("restart-\(side)") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun("restart-\(side)"), size: 12 << 20)
                try await scene.createImage("disk", mebibytes: 12, options: ["--object-size", "64K"])
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                let daemon = try await scene.startDaemon(on: siteB, options: [
                    "--rados-osd-op-timeout", "3", "--rados-mon-op-timeout", "3", "--client-mount-timeout", "3",
                ])
                try await scene.waitForSync("disk")
                for round in 1...2 {
                    try await siteB.slowDown()
                    try await workload.fill { try await siteA.write($0, to: "disk") }
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.holdSync("disk")
                    let osd = (side == .source ? siteA : siteB).cluster.osds[0]
                    try await osd.terminate()
                    if side == .source { try await siteB.goAtFullSpeed() }
                    let start = ContinuousClock.now
                    if round == 2 { try await scene.reportsSilence(of: side) }
                    try await osd.restart()
                    print("the OSD of the \(side) was away for \(start.duration(to: .now))")
                    // What was set at run time went with its process.
                    try await siteB.goAtFullSpeed()
                    try await scene.waitForSync("disk")
                    try await siteB.waitForStatus("disk", state: "up+replaying")
                    try await ImageJudge(image: "disk").compare(siteA, siteB)
                    // Seen by notification: the watches are there again.
                    try await siteA.write(workload.churned(), to: "disk")
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.waitForSync("disk", within: .seconds(15))
                    try await ImageJudge(image: "disk").compare(siteA, siteB)
                }
                #expect(daemon.process.isRunning)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

extension Scene {
    /// Waits until the site that is there tells of the other one's silence, as a person would see it.
    fileprivate func reportsSilence(of side: EndToEnd.OSDRestartTests.Side) async throws {
        let isOfSilence = { (state: String, text: String) in state.hasSuffix("+error") && text.contains("no answer within the deadline") }
        try await other(than: side == .source ? siteA : siteB).waitForStatus("disk", "without an answer", within: .seconds(20)) { status in
            if side == .source { return isOfSilence(status.state, status.description) }
            return status.peers.contains { isOfSilence($0.state, $0.description) }
        }
    }
}
