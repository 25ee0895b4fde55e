import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// `rbd mirror image resync` on the replica's site: thrown away and made anew.
    @Suite struct ResyncTests {
        @Test func aReplicaIsMadeAnew() async throws {
            try await withScene("resync") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["disk", "other"])
                let old = try await siteB.imageID("disk")
                let other = try await siteB.imageID("other")
                let globalID = try await siteB.status("disk").globalID

                let start = ContinuousClock.now
                try await siteB.mirror("resync", image: "disk")
                try await siteB.waitForNewID("disk", than: old)
                try await scene.waitForSync("disk")
                print("made anew \(start.duration(to: .now)) after the request")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                #expect(try await siteB.status("disk").globalID == globalID)
                #expect(try await siteB.imageID("other") == other)
                try await siteB.waitUntilGone(old)

                // The new one is followed like any other.
                var workload = SourceWorkload(SeededRandom.forRun("resync"), size: 16 << 20)
                try await siteA.write(workload.churned(), to: "disk")
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk", "other"])
            }
        }

        /// Without a primary there would be nothing to make it from.
        @Test func waitsForAPrimary() async throws {
            try await withScene("resync-waits") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["disk"])
                let old = try await siteB.imageID("disk")
                try await siteA.mirror("demote", image: "disk")
                try await scene.waitForSync("disk")
                try await siteB.mirror("resync", image: "disk")
                try await daemon.waitForLog("a resync waits for a primary source")
                try await siteB.waitForStatus("disk", state: "up+unknown")
                #expect(try await siteB.imageID("disk") == old)

                try await siteA.mirror("promote", image: "disk")
                try await scene.isMadeAnew("disk", than: old)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }

        /// What a forced promotion made of it is given up by the side that asks for a resync.
        @Test func endsASplitBrain() async throws {
            try await withScene("resync-split") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["disk"])
                let old = try await siteB.imageID("disk")
                var workload = SourceWorkload(SeededRandom.forRun("resync-split"), size: 16 << 20)
                try await siteB.mirror("promote", "--force", image: "disk")
                try await siteB.write(workload.churned(), to: "disk")
                try await siteA.write(workload.churned(), to: "disk")
                try await siteB.mirror("demote", image: "disk")
                try await scene.takeMirrorSnapshot("disk")
                try await siteB.waitForStatus("disk", "in a split-brain") { $0.description.hasPrefix("split-brain: ") }
                #expect(try await siteB.imageID("disk") == old)

                try await siteB.mirror("resync", image: "disk")
                try await scene.isMadeAnew("disk", than: old)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

extension Scene {
    /// Another image is in the place of the old one on site B, in step with site A, and the old one is gone.
    fileprivate func isMadeAnew(_ image: String, than old: String) async throws {
        try await siteB.waitForNewID(image, than: old)
        try await waitForSync(image)
        try await ImageJudge(image: image).compare(siteA, siteB)
        try await siteB.waitUntilGone(old)
    }
}
