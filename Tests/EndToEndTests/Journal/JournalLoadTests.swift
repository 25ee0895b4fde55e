import CephCore
import CephSandbox
import JournalReplay
import TestSupport
import Testing

extension EndToEnd {
    /// An image with a random life, followed by a daemon that is killed again and again.
    @Suite struct JournalLoadTests {
        @Test func underLoad() async throws {
            var random = SeededRandom.forRun("journal-load")
            for round in 0..<Knobs.count(1) {
                let seed = SeededRandom(seed: random.next())
                let passed = try await withScene("load-\(round)") { scene in
                    var load = JournalLoad(scene, seed)
                    try await load.run(kind: JournalLoad.kinds[round % JournalLoad.kinds.count])
                }
                guard passed else { break }
            }
        }

        /// Whoever writes to the primary dies with many writes under way, and so does the daemon: what was acknowledged is on both sides.
        @Test func theWriterDies() async throws {
            try await withScene("writer-dies") { scene in
                var random = SeededRandom.forRun("writer-dies")
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await scene.createJournaled("disk", mebibytes: 32, options: ["--object-size", "1M", "--journal-object-size", "256K"])
                var daemon = try await scene.startDaemon(on: siteB)
                try await siteB.waitForStatus("disk", state: "up+replaying")
                for round in 0..<Knobs.count(2) {
                    let before = try await siteA.withJournal("disk") { try await $0.header().activeSet }
                    let bench = try SandboxProcess.start("rbd", [
                        "-c", siteA.cluster.configurationFile.string, "bench", siteA.spec("disk"), "--io-type", "write", "--io-size",
                        "\(512 << random.below(8))", "--io-threads", "64", "--io-total", "1G", "--io-pattern", "rand",
                    ], log: siteA.cluster.folder.appending("bench.log"))
                    let sets = UInt64(1 + random.below(4))
                    try await waitUntil("disk is written to", within: .seconds(30), every: .milliseconds(10)) {
                        try await siteA.withJournal("disk") { try await $0.header().activeSet } >= before + sets
                    }
                    try await bench.kill()
                    if round.isMultiple(of: 2) {
                        try await daemon.kill()
                        daemon = try await scene.startDaemon(on: siteB)
                    }
                    // Whoever opens it next applies what the dead one had written down.
                    try await scene.waitForJournal("disk")
                    try await ImageJudge(image: "disk").compare(siteA, siteB)
                }
                try await daemon.terminate()
            }
        }
    }
}

extension MirrorDaemon {
    /// Waits until this run goes on where the one before was: with the first copy or the replay.
    fileprivate func waitForPlan() async throws {
        try await waitUntil("the daemon goes on", within: .seconds(5), every: .milliseconds(5)) {
            let log = logTail(lines: 1000)
            return log.contains("plan=\"replay(") || log.contains("plan=\"firstSync(")
        }
    }
}

/// The life of one image and of the daemons that follow it.
private struct JournalLoad {
    let scene: Scene
    private var random: SeededRandom
    private static let image = "disk"
    private static let features: CephCore.Image.Features = [.layering, .exclusiveLock, .objectMap, .fastDiff, .deepFlatten, .journaling]

    static let kinds: [(name: String, options: ImageOptions)] = [
        ("usual", ImageOptions(features: features, order: 20, journalOrder: 18)),
        ("small objects", ImageOptions(features: features, order: 16, journalOrder: 16, journalSplayWidth: 3)),
        ("striped", ImageOptions(features: features, order: 20, stripeUnit: 64 << 10, stripeCount: 4, journalOrder: 20, journalSplayWidth: 1)),
        ("no map", ImageOptions(features: [.layering, .exclusiveLock, .journaling], journalOrder: 18, journalPool: "entries")),
    ]

    init(_ scene: Scene, _ random: SeededRandom) { (self.scene, self.random) = (scene, random) }

    mutating func run(kind: (name: String, options: ImageOptions)) async throws {
        let (siteA, siteB) = (scene.siteA, scene.siteB)
        if let pool = kind.options.journalPool { for site in scene.sites { try await scene.addPool(pool, on: site) } }
        let name = Self.image
        try await siteA.withClient { pool in
            try await pool.createImage(name, size: ImageHistory.largest / 2, kind.options)
        }
        var (kills, began) = (0, ContinuousClock.now)
        let record = try await siteA.withClient { pool in
            var history = try await ImageHistory(of: name, in: pool, isClone: false, random)
            for _ in 1...10 { try await history.step() }
            try await history.image.enableMirroring(.journal)
            var daemon = try await scene.startDaemon(on: siteB)
            for _ in 1...Self.steps {
                do { try await history.step() } catch {
                    throw ToolFailure(tool: "the load", text: "\(error)\n\(history.record.suffix(20).joined(separator: "\n"))")
                }
                guard random.oneIn(Self.steps / 8) else { continue }
                try await daemon.kill()
                kills += 1
                daemon = try await scene.startDaemon(on: siteB)
                if random.oneIn(2) { try await daemon.waitForPlan() }
            }
            try await history.image.close()
            do { try await judge(history.name) } catch {
                throw ToolFailure(tool: kind.name, text: "\(error)\nLast:\n" + history.record.suffix(60).joined(separator: "\n"))
            }
            try await daemon.terminate()
            return history.record
        }
        print("\(kind.name): \(record.count) operations, \(kills) kills in \(began.duration(to: .now))")
        began = .now
    }

    private static let steps = 160

    private func judge(_ name: String) async throws {
        let (siteA, siteB) = (scene.siteA, scene.siteB)
        try await scene.waitForJournal(name, from: siteA)
        // Those of the source may be invalid.
        try await ImageJudge(image: name, comparesFlags: false).compare(siteA, siteB)
        try await scene.expectTidyJournal(name)
        try await siteA.mirror("demote", image: name)
        try await scene.waitForDemotion(of: name, from: siteA)
        try await siteB.mirror("promote", image: name)
        if try await siteB.rbd("info", siteB.spec(name)).contains("object-map") { try await scene.checkObjectMaps(name, on: siteB, allowsExcess: true) }
    }
}
