import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// A replica goes with its source, and only then.
    @Suite struct RemovalTests {
        enum Verb: String, CaseIterable, Sendable { case rm, disable }

        @Test(arguments: Verb.allCases) func theSourceGoes(_ verb: Verb) async throws {
            try await withScene("removal-\(verb)") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["gone", "kept"])
                // What is protected here goes too.
                try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec("gone"))@point")
                try await siteA.rbd("snap", "protect", "\(siteA.spec("gone"))@point")
                try await scene.takeMirrorSnapshot("gone")
                try await scene.waitForSync("gone")
                let id = try await siteB.imageID("gone")

                let start = ContinuousClock.now
                if verb == .rm {
                    try await siteA.rbd("snap", "unprotect", "\(siteA.spec("gone"))@point")
                    try await siteA.rbd("snap", "purge", "--no-progress", siteA.spec("gone"))
                    try await siteA.rbd("rm", "--no-progress", siteA.spec("gone"))
                } else {
                    try await siteA.mirror("disable", image: "gone")
                }
                let removed = ContinuousClock.now
                try await siteB.waitUntilUnnamed("gone", within: .seconds(10))
                print("in the trash \(removed.duration(to: .now)) after rbd \(verb), which took \(start.duration(to: removed))")
                try await siteB.waitUntilGone(id)
                print("gone \(removed.duration(to: .now)) after it")

                try await scene.takeMirrorSnapshot("kept")
                try await scene.waitForSync("kept")
                try await ImageJudge(image: "kept").compare(siteA, siteB)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["kept"])
                try await Leftovers(site: siteA).expectNone(images: verb == .rm ? ["kept"] : ["gone", "kept"])
            }
        }

        @Test func disabledDuringTheFirstSync() async throws {
            try await withScene("removal-first") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(SeededRandom.forRun("removal-first"), size: 48 << 20)
                try await scene.createImage("disk", mebibytes: 48, options: ["--object-size", "256K"])
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await siteB.slowDown(by: .milliseconds(15))
                let daemon = try await scene.startDaemon(on: siteB)
                try await waitUntil("the sync is under way") {
                    (try? await siteB.lastMirrorSnapshot("disk"))?.isUnderWay ?? false
                }
                let id = try await siteB.imageID("disk")
                try await siteA.mirror("disable", image: "disk")
                try await siteB.goAtFullSpeed()
                try await siteB.waitUntilGone(id)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: [])
                try await Leftovers(site: siteA).expectNone(images: ["disk"])
            }
        }

        /// Whatever the moment, the next run goes on where the killed one was.
        @Test func killedInMidRemoval() async throws {
            try await withScene("removal-killed") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var random = SeededRandom.forRun("removal-killed")
                var workload = SourceWorkload(random, size: 24 << 20)
                var cut = 0
                for round in 1...Knobs.count(6) {
                    let image = "disk-\(round)"
                    try await scene.createImage(image, mebibytes: 24, options: ["--object-size", "256K"])
                    try await workload.fill { try await siteA.write($0, to: image) }
                    try await scene.takeMirrorSnapshot(image)
                    let first = try await scene.startDaemon(on: siteB, options: Self.retry)
                    try await scene.waitForSync(image)
                    let id = try await siteB.imageID(image)
                    try await siteB.slowDown(by: .milliseconds(5))
                    try await siteA.mirror("disable", image: image)
                    try await ContinuousClock().sleep(for: .milliseconds(random.below(1200)))
                    try await first.kill()
                    try await siteB.goAtFullSpeed()
                    if try await siteB.objects().contains("rbd_header.\(id)") { cut += 1 }

                    let restarted = ContinuousClock.now
                    let next = try await scene.startDaemon(on: siteB, options: Self.retry)
                    try await siteB.waitUntilGone(id)
                    print("round \(round): gone \(restarted.duration(to: .now)) after the restart")
                    try await next.terminate()
                    try await Leftovers(site: siteB).expectNone(images: [])
                }
                guard cut > 0 else { throw ToolFailure(tool: "the test", text: "no removal was cut off") }
                print("\(cut) removals were cut off")
            }
        }

        private static let retry = ["--rbd_mirror_delete_retry_interval", "1"]

        /// What is deferred can be brought back; other entries of the trash are nobody's business.
        @Test func theDelayIsRespected() async throws {
            try await withScene("removal-delay") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let daemon = try await scene.startDaemon(on: siteB, options: ["--rbd_mirroring_delete_delay", "3600"])
                try await siteB.rbd("create", siteB.spec("foreign"), "--size", "8M")
                try await siteB.rbd("trash", "mv", siteB.spec("foreign"))
                // An image's own delay comes before the pool's.
                try await scene.makeReplicas(["later", "soon"])
                try await siteA.rbd("image-meta", "set", siteA.spec("soon"), "conf_rbd_mirroring_delete_delay", "3")
                try await scene.takeMirrorSnapshot("soon")
                try await scene.waitForSync("soon")
                let content = try await siteB.checksum("later")
                let soon = try await siteB.imageID("soon")
                let later = try await siteB.imageID("later")

                try await siteA.mirror("disable", image: "later")
                try await siteB.waitUntilUnnamed("later")
                let start = ContinuousClock.now
                try await siteA.mirror("disable", image: "soon")
                try await siteB.waitUntilUnnamed("soon")
                #expect(try await siteB.trash().first { $0.id == soon }?.source == "MIRRORING")
                try await siteB.waitUntilGone(soon)
                #expect(start.duration(to: .now) >= .seconds(3))
                // The deleter has been at work, and these are still there.
                let trash = try await siteB.trash()
                #expect(trash.first { $0.id == later }?.source == "MIRRORING")
                #expect(trash.first { $0.id == later }?.name == "later")
                #expect(trash.first { $0.name == "foreign" }?.source == "USER")
                #expect(trash.count == 2)
                try await siteB.rbd("trash", "restore", "--pool", siteB.pool, later)
                #expect(try await siteB.checksum("later") == content)
                try await daemon.terminate()
                #expect(try await siteB.images() == ["later"])
            }
        }

        /// What one make of daemon moved to the trash, the other deletes.
        @Test(arguments: AnyDaemon.Make.allCases) func theOtherMakeDeletes(_ mover: AnyDaemon.Make) async throws {
            try await withScene("moved-by-\(mover)") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let first = try await scene.start(mover, on: siteB)
                try await scene.makeReplicas(["disk"])
                try await siteA.rbd("image-meta", "set", siteA.spec("disk"), "conf_rbd_mirroring_delete_delay", "10")
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                let id = try await siteB.imageID("disk")
                try await siteA.mirror("disable", image: "disk")
                try await siteB.waitUntilUnnamed("disk")
                try await first.terminate()
                let entry = try await siteB.trash().first { $0.id == id }
                guard entry?.source == "MIRRORING" else { throw ToolFailure(tool: "rbd trash ls", text: "it has \(String(describing: entry))") }

                let second = try await scene.start(mover == .ours ? .stock : .ours, on: siteB)
                try await siteB.waitUntilGone(id)
                try await second.terminate()
                try await Leftovers(site: siteB).expectNone(images: [])
            }
        }

        /// A pool of the same name is not the same pool.
        @Test func theSourcePoolIsMadeAnew() async throws {
            try await withScene("removal-pool") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let first = try await scene.startDaemon(on: siteB)
                try await scene.makeReplicas(["disk"])
                let content = try await siteB.checksum("disk")
                let id = try await siteB.imageID("disk")
                try await siteA.cluster.ceph("osd", "pool", "delete", siteA.pool, siteA.pool, "--yes-i-really-really-mean-it")
                try await siteB.waitForStatus("disk", "kept without a source pool") { status in
                    status.state == "up+error" && status.description.contains("its source's pool is gone")
                }
                try await siteA.cluster.createPool(siteA.pool)
                try await siteA.rbd("mirror", "pool", "enable", siteA.pool, "image")
                let isStrange = { (status: ImageStatus) in
                    status.state == "up+error" && status.description.hasPrefix("local image linked to unknown peer: ")
                }
                try await siteB.waitForStatus("disk", "a stranger's", within: .seconds(90), isStrange)
                try await first.terminate()
                let second = try await scene.startDaemon(on: siteB)
                try await siteB.waitForStatus("disk", "a stranger's after a restart", isStrange)
                #expect(try await siteB.imageID("disk") == id)
                #expect(try await siteB.checksum("disk") == content)
                #expect(try await siteB.trash().isEmpty)
                try await second.terminate()
            }
        }

        /// Many at once wait for a person, who decides for each.
        @Test func manyAtOnceAreHeld() async throws {
            try await withScene("removal-many") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let images = (10..<22).map { "disk-\($0)" }
                let first = try await scene.startDaemon(on: siteB)
                for image in images { try await scene.createImage(image, mebibytes: 1) }
                for image in images { try await scene.waitForSync(image) }
                try await first.terminate()
                for image in images { try await siteA.mirror("disable", image: image) }

                let second = try await scene.startDaemon(on: siteB)
                for image in images { try await siteB.waitUntilHeld(image) }
                #expect(try await siteB.images() == images)
                let id = try await siteB.imageID("disk-10")
                try await siteB.mirror("resync", image: "disk-10")
                try await siteB.waitUntilGone(id)
                try await siteB.mirror("promote", "--force", image: "disk-11")
                try await second.terminate()
                // The ten that are left are few enough, but they were held.
                let third = try await scene.startDaemon(on: siteB)
                for image in images.dropFirst(2) { try await siteB.waitUntilHeld(image) }
                #expect(try await siteB.images() == Array(images.dropFirst()))
                #expect(try await siteB.trash().isEmpty)
                try await third.terminate()
            }
        }
    }
}

extension Site {
    fileprivate func waitUntilHeld(_ image: String) async throws {
        try await waitForStatus(image, "held") { status in
            status.state == "up+error" && status.description.contains("12 replicas lost their sources at once")
        }
    }
}

extension Scene {
    /// Makes small images with something in them and waits until they are on both sides.
    func makeReplicas(_ images: [String]) async throws {
        for image in images {
            var workload = SourceWorkload(SeededRandom.forRun(image), size: 16 << 20)
            try await createImage(image, mebibytes: 16)
            try await workload.fill { try await siteA.write($0, to: image) }
            try await takeMirrorSnapshot(image)
        }
        for image in images { try await waitForSync(image) }
    }
}
