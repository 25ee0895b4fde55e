import CephCore
import CephSandbox
import RBDImage
import TestSupport
import Testing

extension EndToEnd {
    /// `rbd mirror image promote --force` on the replica's site, with our daemon running.
    @Suite struct ForcedPromotionTests {
        /// In the middle of a sync, what is promoted is the last point that arrived in full.
        @Test func inMidSync() async throws {
            try await withScene("forced") { scene in
                let daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.createImage("disk", mebibytes: 160, options: ["--object-size", "256K"])
                var workload = SourceWorkload(SeededRandom.forRun("forced"), size: 160 << 20)
                for _ in 1...2 {
                    try await workload.fill { try await scene.siteA.write($0, to: "disk") }
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.waitForSync("disk")
                }
                let complete = try await scene.siteA.checksum("disk")

                try await scene.siteB.slowDown(by: .milliseconds(15))
                try await workload.fill { try await scene.siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await waitUntil("the sync is under way") { try await scene.siteB.lastMirrorSnapshot("disk").isUnderWay }
                async let promotion: Void = promote("disk", scene)
                try await daemon.waitForLog("a forced promotion asks for the image")
                try await scene.siteB.goAtFullSpeed()
                try await promotion
                #expect(try await scene.siteB.checksum("disk") == complete)
                try await scene.checkObjectMaps("disk", on: scene.siteB)
                try await scene.siteB.write(workload.churned(), to: "disk")
                try await daemon.terminate()
            }
        }

        /// A sync that has made some of the user snapshots and has not come to the data yet: they go, and HEAD has its size again.
        @Test func amongNewUserSnapshots() async throws {
            try await withScene("forced-early") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["disk"])
                let before = try await siteA.checksum("disk")
                try await siteA.rbd("resize", "--no-progress", "--size", "20M", siteA.spec("disk"))
                for number in 1...8 {
                    try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec("disk"))@\(number)")
                }
                // The promoter comes before all of them are there: with the working snapshot behind them, 16.2's crashes.
                var watch = try await StepWatch(scene, pools: [siteB.pool])
                let log = try await MutationLog(siteB, pools: [siteB.pool])
                try await siteB.slowDown(by: .milliseconds(5))
                try await scene.takeMirrorSnapshot("disk")
                #expect(try await watch.reach(.step(SyncStep("header: snapshot_add"), times: 2), .ours(daemon)))
                try await AnyDaemon.ours(daemon).whenAsked(log) { try await siteB.mirror("promote", "--force", image: "disk") }
                try await siteB.goAtFullSpeed()
                try await watch.close()
                #expect(try await siteB.checksum("disk") == before)
                #expect(try await siteB.snapshots("disk").allSatisfy(\.isMirror))
                try await scene.checkObjectMaps("disk", on: siteB)
                try await daemon.terminate()
            }
        }

        /// A promoter that looked before a sync began, and asks when it has begun, does not roll back: it finds the point before.
        @Test func justBeforeASync() async throws {
            try await withScene("forced-before") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.createImage("disk", mebibytes: 32, options: ["--object-size", "64K"])
                var workload = SourceWorkload(SeededRandom.forRun("just before"), size: 32 << 20)
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                let before = try await siteA.checksum("disk")
                try await workload.fill { try await siteA.write($0, to: "disk") }

                try await siteB.withClient { pool in
                    let id = try #require(try await pool.imageID(named: "disk"))
                    // As everybody has who opens an image for writing.
                    let watch = try await pool.watch(ObjectNames.header(id))
                    try await scene.takeMirrorSnapshot("disk")
                    try await waitUntil("a sync has begun", within: .seconds(20), every: .milliseconds(1)) {
                        try await pool.imageHeader(id).mirrorSnapshots.last?.mirror?.complete == false
                    }
                    let orphan = SnapshotNamespace.mirror(MirrorSnapshot(
                        state: .nonPrimary, peers: [], primaryMirrorUUID: "", primarySnapshotID: headSnapshotID, snapshotIDs: [:]))
                    let request = HeaderNotification.Request(client: .init(globalID: pool.cluster.globalID, handle: watch.handle ?? 0), id: 1)
                    _ = try await pool.notify(ObjectNames.header(id), HeaderNotification(
                        .snapshotCreate(name: "orphan", orphan, flags: 0, request)).encoded)
                    try await daemon.waitForLog("a forced promotion asks for the image")
                    try await waitUntil("the lock is free") {
                        try await pool.lockInfo(of: ObjectNames.header(id), name: "rbd_lock").lockers.isEmpty
                    }
                    await watch.cancel(within: .seconds(2))
                }
                #expect(try await siteB.checksum("disk") == before)
                try await daemon.terminate()
            }
        }

        /// A replica at rest, and one whose source was demoted, which the daemon watches without replaying it.
        @Test func atRest() async throws {
            try await withScene("forced-at-rest") { scene in
                let daemon = try await scene.startDaemon(on: scene.siteB)
                for image in ["followed", "demoted"] {
                    try await scene.createImage(image, mebibytes: 8)
                    var workload = SourceWorkload(SeededRandom.forRun(image), size: 8 << 20)
                    try await workload.fill { try await scene.siteA.write($0, to: image) }
                    try await scene.takeMirrorSnapshot(image)
                    try await scene.waitForSync(image)
                }
                try await scene.siteA.mirror("demote", image: "demoted")
                try await scene.siteB.waitForStatus("demoted", state: "up+unknown")
                for image in ["followed", "demoted"] {
                    let before = try await scene.siteA.checksum(image)
                    try await promote(image, scene)
                    #expect(try await scene.siteB.checksum(image) == before)
                }
                try await daemon.terminate()
            }
        }

        /// Promotes by force; neither the command nor the status afterwards waits for a clock of the daemon.
        private func promote(_ image: String, _ scene: Scene) async throws {
            let start = ContinuousClock.now
            try await scene.siteB.mirror("promote", "--force", image: image)
            print("\(image) was promoted by force within \(start.duration(to: .now))")
            try await scene.siteB.waitForStatus(image, "primary", within: .seconds(10)) { status in
                status.state == "up+stopped" && status.description == "local image is primary"
            }
        }
    }
}

extension Site {
    /// The checksum of an image's content as `rbd export` reads it.
    func checksum(_ image: String) async throws -> String { try await ImageJudge.checksum(spec(image), self) }
}
