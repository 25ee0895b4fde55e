import CephCore
import CephSandbox
import TestSupport

/// The life of one image and of the daemons that follow it.
struct JournalLoad {
    let scene: Scene
    private var random: SeededRandom
    private static let image = "disk"
    private static let features: CephCore.Image.Features = [.layering, .exclusiveLock, .objectMap, .fastDiff, .deepFlatten, .journaling]

    struct Kind {
        var name: String
        var options: ImageOptions
        var isClone = false
    }

    static let kinds = [
        Kind(name: "usual", options: ImageOptions(features: features, order: 20, journalOrder: 18)),
        Kind(name: "small objects", options: ImageOptions(features: features, order: 16, journalOrder: 16, journalSplayWidth: 3)),
        Kind(
            name: "striped",
            options: ImageOptions(features: features, order: 20, stripeUnit: 64 << 10, stripeCount: 4, journalOrder: 20, journalSplayWidth: 1)),
        Kind(
            name: "no map",
            options: ImageOptions(features: [.layering, .exclusiveLock, .journaling], journalOrder: 18, journalPool: "entries")),
        Kind(name: "clone", options: ImageOptions(features: features, order: 20, journalOrder: 18), isClone: true),
    ]

    init(_ scene: Scene, _ random: SeededRandom) { (self.scene, self.random) = (scene, random) }

    mutating func run(kind: Kind) async throws {
        let (siteA, siteB) = (scene.siteA, scene.siteB)
        if let pool = kind.options.journalPool { for site in scene.sites { try await scene.addPool(pool, on: site) } }
        let name = Self.image
        if kind.isClone { try await makeParent() }
        try await siteA.withClient { pool in
            if kind.isClone {
                try await pool.cloneImage("parent", at: "base", to: name, kind.options)
            } else {
                try await pool.createImage(name, size: ImageHistory.largest / 2, kind.options)
            }
        }
        let began = ContinuousClock.now
        var kills = 0
        let record = try await siteA.withClient { pool in
            var history = try await ImageHistory(of: name, in: pool, isClone: kind.isClone, random)
            for _ in 1...10 { try await history.step() }
            try await history.image.enableMirroring(.journal)
            var daemon = try await scene.startDaemon(on: siteB)
            var steps = 0
            while steps < Self.steps || began.duration(to: .now) < .seconds(Knobs.seconds) {
                steps += 1
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
            do { try await judge(history.name, kind) } catch {
                throw ToolFailure(tool: kind.name, text: "\(error)\nLast:\n" + history.record.suffix(200).joined(separator: "\n"))
            }
            try await daemon.terminate()
            return history.record
        }
        print("\(kind.name): \(record.count) operations, \(kills) kills in \(began.duration(to: .now))")
    }

    private func makeParent() async throws {
        var workload = SourceWorkload(random, size: Int(ImageHistory.largest / 2))
        try await scene.createJournaled("parent", mebibytes: Int(ImageHistory.largest >> 21), options: ["--object-size", "1M"])
        try await workload.fill { try await scene.siteA.write($0, to: "parent") }
        try await scene.siteA.withImage("parent", for: .readWrite) { image in
            try await image.createSnapshot("base")
            try await image.protectSnapshot("base")
        }
    }

    private static let steps = 160

    private func judge(_ name: String, _ kind: Kind) async throws {
        let (siteA, siteB) = (scene.siteA, scene.siteB)
        try await scene.waitForJournal(name, from: siteA)
        // Those of the source may be invalid.
        var own: Set = ["non-primary", "data-pool"]
        // The replica is a clone of the second format.
        if kind.isClone { own.insert("operations") }
        try await ImageJudge(image: name, ownFeatures: own, comparesFlags: false).compare(siteA, siteB)
        try await scene.expectTidyJournal(name)
        try await siteA.mirror("demote", image: name)
        try await scene.waitForDemotion(of: name, from: siteA)
        try await siteB.mirror("promote", image: name)
        if try await siteB.rbd("info", siteB.spec(name)).contains("object-map") { try await scene.checkObjectMaps(name, on: siteB, allowsExcess: true) }
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
