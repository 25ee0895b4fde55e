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

        /// At any step of a first sync: gone, and nothing left.
        @Test func duringTheFirstSync() async throws {
            var random = SeededRandom.forRun("removal-first")
            var ledger = KillLedger()
            let ends = SourceEnd.allCases.shuffled(using: &random), kinds = ImageLife.Kind.allCases.shuffled(using: &random)
            for round in 0..<Knobs.count(3) {
                let passed = try await withScene("removal-first-\(round)") { scene in
                    var life = try await ImageLife(scene, kinds[round % kinds.count], random)
                    let end = ends[round % ends.count], (siteA, siteB) = (scene.siteA, scene.siteB)
                    try await life.prepare(.creation)
                    var watch = try await StepWatch(scene, pools: life.pools)
                    try await siteB.slowDown(by: .milliseconds(3))
                    let daemon = try await scene.startDaemon(on: siteB, options: Self.retry)
                    let aim = ledger.aim(in: .creation, isFirst: true, &random)
                    let reached = try await watch.reach(aim, .ours(daemon))
                    let steps = try watch.take()
                    try await end.happen(to: life.name, at: siteA)
                    try await siteB.goAtFullSpeed()
                    let ended = ContinuousClock.now
                    try await Leftovers(site: siteB, dataPool: life.dataPool).waitUntilOnly(images: life.others)
                    try await siteB.waitUntilUnnamed(life.name)
                    print("\(life.kind): rbd \(end) at \(steps.last?.description ?? "nothing"), gone \(ended.duration(to: .now)) after it")
                    ledger.noteKill(steps, in: .creation, aim: aim, reached: reached)
                    try await watch.close()
                    try await daemon.terminate()
                    try await Leftovers(site: siteB, dataPool: life.dataPool).expectNone(images: life.others)
                    try await life.expectNoChild()
                    // What is in the trash of site A is still there.
                    let images = life.others + (end == .disable ? [life.name] : [])
                    if end != .trash { try await Leftovers(site: siteA, dataPool: life.dataPool).expectNone(images: images) }
                }
                guard passed else { break }
            }
            print("first syncs cut short by the source's end:\n\(ledger.table)")
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
                try await siteA.cluster.removePool(siteA.pool)
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
