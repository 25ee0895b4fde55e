import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Our daemon dies at any step of anything; the next one goes on where it was.
    @Suite struct KillTests {
        /// At least so many kills as counted, each at a step that was hit seldom so far; always all of a life.
        @Test func killedAtEveryStep() async throws {
            var random = SeededRandom.forRun("killed")
            var ledger = KillLedger()
            let kinds = ImageLife.Kind.allCases.shuffled(using: &random)
            var lives = 0
            while ledger.kills < Knobs.count(5) {
                let kind = kinds[lives % kinds.count]
                lives += 1
                let isWhole = try await withScene("killed-\(lives)-\(kind)") { scene in
                    var life = KilledLife(scene: scene, random: random)
                    try await life.run(kind, &ledger)
                }
                _ = random.next()
                guard isWhole else { break }
            }
            print("\(ledger.kills) kills in \(lives) lives, \(ledger.missed) of them later than aimed at\n\(ledger.table)")
        }

        /// Whoever goes on finds the replica's name changed, or a name that leads to it, and the other one left.
        @Test(arguments: ["name: create+set_id", "directory: dir_rename_image"]) func killedInARename(_ step: String) async throws {
            try await withScene("killed-in-\(step.prefix { $0 != ":" })") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await scene.createImage("disk", mebibytes: 8)
                let first = try await scene.startDaemon(on: siteB)
                try await scene.waitForSync("disk")
                try await first.terminate()

                try await siteA.rbd("rename", siteA.spec("disk"), siteA.spec("drive"))
                try await scene.takeMirrorSnapshot("drive")
                var watch = try await StepWatch(scene, pools: [siteB.pool])
                // So slow that it is dead before the next step, whatever else the machine does.
                try await siteB.slowDown(by: .milliseconds(60))
                let victim = try await scene.startDaemon(on: siteB)
                let (steps, isReached) = try await watch.kill(
                    victim, at: .step(SyncStep(step), times: 1), patience: .seconds(30), pause: .seconds(30))
                #expect(isReached && steps.last == SyncStep(step), "killed at \(steps.last?.description ?? "nothing")")
                try await watch.close()

                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.waitForSync("drive")
                try await ImageJudge(image: "drive").compare(siteA, siteB)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["drive"])
            }
        }
    }
}

/// The life of one image, with daemons that are killed in each part of it.
private struct KilledLife {
    let scene: Scene
    var random: SeededRandom

    private static let options = ["--rbd_mirror_delete_retry_interval", "1"]

    mutating func run(_ kind: ImageLife.Kind, _ ledger: inout KillLedger) async throws {
        var life = try await ImageLife(scene, kind, random)
        for part in ImageLife.Part.allCases {
            try await life.prepare(part)
            var watch = try await StepWatch(scene, pools: life.pools, on: scene.sites)
            // Now and then the next one is killed too.
            var isFirst = true
            while true {
                let aim = ledger.aim(in: part, isFirst: isFirst, &random)
                try await scene.siteB.slowDown(by: .milliseconds(3))
                let victim = try await scene.startDaemon(on: scene.siteB, options: Self.options)
                let (steps, reached) = try await watch.kill(victim, at: aim)
                ledger.noteKill(steps, in: part, aim: aim, reached: reached)
                print("\(kind), \(part): killed at \(steps.last?.description ?? "nothing"), aimed at \(aim)")
                guard reached, random.oneIn(3) else { break }
                isFirst = false
            }

            let restarted = ContinuousClock.now
            let daemon = try await scene.startDaemon(on: scene.siteB, options: Self.options)
            // Of an earlier run it has noticed then that it is no more.
            try await daemon.waitForLog("leading")
            if part == .change {
                let name = life.name
                try await scene.siteB.waitForStatus(name, "at work again", within: .seconds(5)) { $0.state == "up+replaying" }
                print("at work \(restarted.duration(to: .now)) after the restart")
            }
            try await life.settle(part)
            try await daemon.terminate()
            ledger.noteRun(try watch.take(), in: part)
            try await watch.close()
            try await life.leave(part)
        }
    }
}
