import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Stock daemons and ours take over from each other in mid-sync; a forced promotion in the middle of the next sync gives the
    /// last complete point.
    @Suite struct TakeoverTests {
        @Test func inMidSync() async throws {
            var random = SeededRandom.forRun("takeover")
            for round in 1...Knobs.count(3) {
                let seed = SeededRandom(seed: random.next())
                let first = round.isMultiple(of: 2) ? AnyDaemon.Make.ours : .stock
                let passed = try await withScene("takeover-\(round)") { scene in
                    var story = try await TakeoverStory(scene, seed)
                    try await story.run(startingWith: first)
                }
                guard passed else { break }
            }
        }
    }
}

/// One replica in the hands of several daemons, then promoted.
private struct TakeoverStory {
    let scene: Scene
    private var random: SeededRandom
    private var workload: SourceWorkload

    private static let mebibytes = 32
    private static let objects = mebibytes * 8
    private static let image = "disk"

    init(_ scene: Scene, _ random: SeededRandom) async throws {
        self.scene = scene
        self.random = random
        workload = SourceWorkload(random, size: Self.mebibytes << 20)
        try await scene.createImage(Self.image, mebibytes: Self.mebibytes, options: ["--object-size", "128K"])
    }

    mutating func run(startingWith first: AnyDaemon.Make) async throws {
        var makes = [first, first == .ours ? .stock : .ours]
        // Now and then it goes to and fro before the point is complete.
        while random.oneIn(3) { makes.append(makes[makes.count - 2]) }
        try await sync([AnyDaemon.Make.allCases[random.below(2)]])
        let older = try await scene.siteA.checksum(Self.image)
        let isSealed = makes.last == .ours
        try await sync(makes)
        let newer = try await scene.siteA.checksum(Self.image)

        // Whoever follows a stock daemon has only what it kept: where ours is next, that is made good.
        let next = AnyDaemon.Make.allCases[random.below(2)]
        let expected = isSealed || next == .ours ? newer : older
        let how = Promotion.allCases[random.below(next == .ours ? 3 : 2)]
        print("\(makes) completed a point, \(next) is in the middle of the next, \(how)")
        try await promote(next, how)
        let promoted = try await scene.siteB.checksum(Self.image)
        guard promoted == expected else {
            let what = promoted == older ? "the point before" : promoted == newer ? "a newer point" : "no point at all"
            throw ToolFailure(tool: "rbd mirror image promote --force", text: "it gave \(what)")
        }
        try await scene.checkObjectMaps(Self.image, on: scene.siteB)
        try await scene.siteB.write(workload.churned(), to: Self.image)
    }

    /// What else happens beside a forced promotion.
    private enum Promotion: CaseIterable { case withDaemon, withoutDaemon, withoutSource }

    /// Changes everything; all but the last of these daemons are cut off in the middle.
    private mutating func sync(_ makes: [AnyDaemon.Make]) async throws {
        try await change()
        for (index, make) in makes.enumerated().dropLast() {
            let daemon = try await begin(make, reaching: Self.objects * (index + 1) / (makes.count + 1))
            if random.oneIn(2) { try await daemon.kill() } else { try await daemon.terminate() }
        }
        try await scene.siteB.goAtFullSpeed()
        let daemon = try await scene.start(makes.last!, on: scene.siteB)
        let newest = try await scene.siteA.lastMirrorSnapshot(Self.image).id
        try await waitUntil("the point is complete", within: .seconds(90), every: .milliseconds(200)) {
            guard let last = try? await scene.siteB.lastMirrorSnapshot(Self.image) else { return false }
            return last.isComplete && last.namespace.primary_snap_id == newest
        }
        try await daemon.terminate()
    }

    private mutating func promote(_ make: AnyDaemon.Make, _ how: Promotion) async throws {
        try await change()
        let daemon = try await begin(make, reaching: 1 + random.below(Self.objects / 2))
        switch how {
        case .withDaemon:
            async let promotion: Void = promote()
            if case .ours(let ours) = daemon { try await ours.waitForLog("a forced promotion asks for the image") }
            try await scene.siteB.goAtFullSpeed()
            try await promotion
        case .withoutDaemon:
            try await daemon.kill()
            try await scene.siteB.goAtFullSpeed()
            try await promote()
        case .withoutSource:
            try await scene.siteA.whileFrozen {
                try await scene.siteB.goAtFullSpeed()
                try await promote()
            }
        }
        try await daemon.kill()
    }

    private func promote() async throws {
        let start = ContinuousClock.now
        try await scene.siteB.mirror("promote", "--force", image: Self.image)
        print("promoted by force within \(start.duration(to: .now))")
    }

    private mutating func change() async throws {
        let source = scene.siteA
        try await workload.fill { try await source.write($0, to: Self.image) }
        try await scene.takeMirrorSnapshot(Self.image)
    }

    /// Starts a daemon and returns when it has copied so many objects, and others not.
    private func begin(_ make: AnyDaemon.Make, reaching count: Int) async throws -> AnyDaemon {
        try await scene.siteB.slowDown(by: .milliseconds(10))
        let daemon = try await scene.start(make, on: scene.siteB)
        let newest = try await scene.siteA.lastMirrorSnapshot(Self.image).id
        try await waitUntil("\(make) has copied \(count) of \(Self.objects) objects", within: .seconds(60), every: .milliseconds(20)) {
            guard let last = try? await scene.siteB.lastMirrorSnapshot(Self.image), last.namespace.primary_snap_id == newest else { return false }
            guard !last.isComplete else { throw ToolFailure(tool: "the test", text: "\(make) was done before it was cut off") }
            return last.namespace.last_copied_object_number ?? 0 >= UInt64(count)
        }
        return daemon
    }
}
