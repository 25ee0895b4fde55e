import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Stock daemons and ours take over from each other in mid-sync; a forced promotion in the middle of the next sync gives the
    /// last complete point.
    @Suite struct TakeoverTests {
        /// Who is in the middle of the next sync, and what else there is.
        ///
        /// Not a stock daemon that goes on: it removes the point that 16.2's promoter is about to roll back to, which crashes then.
        private static let endings: [(AnyDaemon.Make, Promotion)] = [
            (.ours, .withDaemon), (.ours, .withoutSource), (.stock, .withoutDaemon), (.ours, .withoutDaemon),
        ]

        @Test func inMidSync() async throws {
            var random = SeededRandom.forRun("takeover")
            for round in 0..<Knobs.count(3) {
                let seed = SeededRandom(seed: random.next())
                let (next, how) = Self.endings[round % Self.endings.count]
                let passed = try await withScene("takeover-\(round)") { scene in
                    var story = try await TakeoverStory(scene, seed)
                    try await story.run(startingWith: round.isMultiple(of: 2) ? .stock : .ours, next, how)
                }
                guard passed else { break }
            }
        }
    }
}

/// What is there at a forced promotion, and what is not.
private enum Promotion { case withDaemon, withoutDaemon, withoutSource }

/// One replica in the hands of several daemons, then promoted.
private struct TakeoverStory {
    let scene: Scene
    private var random: SeededRandom
    private var workload: SourceWorkload
    /// User snapshots of the source.
    private var snapshots: [String] = []

    private static let mebibytes = 32
    private static let objectSize = 128 << 10
    /// So many objects change at least when all of it does.
    private static let changed = mebibytes * 8 / 2
    private static let image = "disk"
    /// Stock takes six times as long to miss a daemon that was killed.
    private static let options = ["rbd_mirror_leader_heartbeat_interval": "2"]

    init(_ scene: Scene, _ random: SeededRandom) async throws {
        self.scene = scene
        self.random = random
        workload = SourceWorkload(random, size: Self.mebibytes << 20)
        workload.discards = false
        try await scene.createImage(Self.image, mebibytes: Self.mebibytes, options: ["--object-size", "\(Self.objectSize)"])
    }

    mutating func run(startingWith first: AnyDaemon.Make, _ next: AnyDaemon.Make, _ how: Promotion) async throws {
        var makes = [first, first == .ours ? .stock : .ours]
        // Now and then it goes to and fro before the point is complete.
        while random.oneIn(3) { makes.append(makes[makes.count - 2]) }
        try await sync([AnyDaemon.Make.allCases[random.below(2)]])
        let older = try await scene.siteA.checksum(Self.image)
        try await sync(makes)
        let newer = try await scene.siteA.checksum(Self.image)
        try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
        let kept = snapshots

        print("\(makes) completed a point, \(next) is in the middle of the next, \(how)")
        try await promote(next, how)
        // What a stock daemon has copied over a point that a stock daemon has copied cannot be undone as far as that point.
        let expected = next == .stock && makes.last == .stock ? older : newer
        let promoted = try await scene.siteB.checksum(Self.image)
        guard promoted == expected else {
            let what = promoted == older ? "the point before" : promoted == newer ? "a newer point" : "no point at all"
            throw ToolFailure(tool: "rbd mirror image promote --force", text: "it gave \(what)")
        }
        try await expectSnapshots(kept)
        // Those of user snapshots stock fills wrongly, and ours had no time to mend them.
        try await scene.checkObjectMaps(Self.image, on: scene.siteB, ofSnapshots: next == .ours || makes.last == .ours)
        try await scene.siteB.write(workload.churned(), to: Self.image)
    }

    /// The user snapshots of the complete point are there and whole.
    private func expectSnapshots(_ kept: [String]) async throws {
        let found = try await scene.siteB.snapshots(Self.image).filter { $0.kind == .user }.map(\.name)
        guard found == kept else { throw ToolFailure(tool: "rbd snap ls", text: "it has \(found) instead of \(kept)") }
        for name in kept {
            let sums = try await [scene.siteA.checksum("\(Self.image)@\(name)"), scene.siteB.checksum("\(Self.image)@\(name)")]
            guard sums[0] == sums[1] else { throw ToolFailure(tool: "rbd export", text: "snapshot \(name) differs") }
        }
    }

    /// Changes everything; all but the last of these daemons are cut off in the middle.
    private mutating func sync(_ makes: [AnyDaemon.Make]) async throws {
        // What a stock daemon loses of discards ours mends in HEAD, and cannot in a user snapshot.
        let discards = makes.last == .ours && (!makes.contains(.stock) || random.oneIn(2))
        try await change(withSnapshot: !discards || !makes.contains(.stock), discards: discards)
        let newest = try await scene.siteA.lastMirrorSnapshot(Self.image).id
        for make in makes.dropLast() {
            let count = 1 + random.below(Self.changed / makes.count)
            // One that is asked to end may come to the end of the point first.
            if try await isComplete(newest) { break }
            let daemon = try await begin(make, copying: count, orEnding: newest)
            if random.oneIn(2) { try await daemon.kill() } else { try await daemon.terminate() }
        }
        try await scene.siteB.goAtFullSpeed()
        let daemon = try await scene.start(makes.last!, on: scene.siteB, options: Self.options)
        try await waitUntil("the point is complete", within: .seconds(90), every: .milliseconds(200)) { try await isComplete(newest) }
        // One who finds it complete may have to mend it.
        try await scene.siteB.waitForStatus(Self.image, "at rest", within: .seconds(60)) {
            $0.state == "up+replaying" && $0.description.contains("idle")
        }
        try await daemon.terminate()
    }

    private mutating func promote(_ make: AnyDaemon.Make, _ how: Promotion) async throws {
        // With a user snapshot in an unfinished delta the promoter of 16.2 crashes.
        try await change(withSnapshot: false, discards: make == .ours)
        let log = try await MutationLog(scene.siteB, pools: [scene.siteB.pool])
        let daemon = try await begin(make, copying: 1 + random.below(Self.changed))
        switch how {
        case .withDaemon: try await daemon.whenAsked(log) { [self] in try await promote() }
        case .withoutDaemon:
            try await daemon.kill()
            try await scene.siteB.goAtFullSpeed()
            try await promote()
        case .withoutSource:
            try await scene.siteA.whileFrozen {
                try await daemon.whenAsked(log) { [self] in try await promote() }
            }
        }
        try await scene.siteB.goAtFullSpeed()
        try await MutationLog.end(scene.siteB)
        try await daemon.kill()
    }

    private func promote() async throws {
        let start = ContinuousClock.now
        try await scene.siteB.mirror("promote", "--force", image: Self.image)
        print("promoted by force within \(start.duration(to: .now))")
    }

    /// Changes everything and takes a mirror snapshot.
    ///
    /// - Parameter discards: In the end the second halves of some objects go.
    private mutating func change(withSnapshot: Bool, discards: Bool) async throws {
        let source = scene.siteA, spec = source.spec(Self.image)
        if withSnapshot {
            var stream = DiffStream()
            workload.churn(into: &stream)
            try await source.write(stream, to: Self.image)
            snapshots.append("point-\(snapshots.count)")
            try await source.rbd("snap", "create", "--no-progress", "\(spec)@\(snapshots.last!)")
            if random.oneIn(2) { try await source.rbd("snap", "protect", "\(spec)@\(snapshots.last!)") }
        }
        try await workload.fill { try await source.write($0, to: Self.image) }
        if discards {
            var stream = DiffStream()
            for _ in 0..<24 {
                let end = (1 + random.below(Self.mebibytes * 8)) * Self.objectSize
                stream.discard(end - Self.objectSize / 2..<end)
            }
            try await source.write(stream, to: Self.image)
        }
        try await scene.takeMirrorSnapshot(Self.image)
    }

    /// Whether site B has all of a mirror snapshot.
    private func isComplete(_ point: UInt64) async throws -> Bool {
        guard let last = try? await scene.siteB.lastMirrorSnapshot(Self.image) else { return false }
        return last.isComplete && last.primaryID == point
    }

    /// Starts a daemon and returns when it has copied so many objects, and others not.
    ///
    /// - Parameter point: With fewer objects left of it, it may be complete then.
    private func begin(_ make: AnyDaemon.Make, copying count: Int, orEnding point: UInt64 = 0) async throws -> AnyDaemon {
        var watch = try await StepWatch(scene, pools: [scene.siteB.pool])
        try await scene.siteB.slowDown(by: .milliseconds(5))
        let daemon = try await scene.start(make, on: scene.siteB, options: Self.options)
        let reached = try await watch.reach(.step(.dataWritten, times: count), daemon, patience: .seconds(60), pause: .seconds(30))
        if !reached {
            let ended = try await isComplete(point)
            guard ended else { throw ToolFailure(tool: "the test", text: "\(make) did not copy \(count) objects") }
        }
        return daemon
    }
}
