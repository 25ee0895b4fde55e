import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// A whole site goes silent: connections stay up and nobody answers.
    @Suite struct FrozenSiteTests {
        @Test func sourceFrozenWhileIdle() async throws {
            try await withFrozenScene("frozen-idle") { stage in
                try await stage.changeSource()
                var daemon = try await stage.startDaemon()
                try await stage.isInStep()
                try await stage.source.whileFrozen { try await stage.sourceIsReportedSilent() }
                try await stage.changeSource()
                try await stage.isInStep()

                try await stage.source.whileFrozen {
                    try await stage.sourceIsReportedSilent()
                    try await daemon.terminate()
                }
                daemon = try await stage.startDaemon()
                try await stage.isInStep()
                try await daemon.terminate()
            }
        }

        @Test func sourceFrozenInMidSync() async throws {
            try await withFrozenScene("frozen-source") { stage in
                var daemon = try await stage.startDaemon()
                for _ in 1...Knobs.count(1) {
                    try await stage.beginSync()
                    try await stage.source.whileFrozen { try await stage.sourceIsReportedSilent() }
                    try await stage.isInStep()
                }

                try await stage.beginSync()
                try await stage.source.whileFrozen { try await daemon.terminate() }
                daemon = try await stage.startDaemon()
                try await stage.isInStep()
                try await daemon.terminate()
            }
        }

        @Test func targetFrozenInMidSync() async throws {
            try await withFrozenScene("frozen-target") { stage in
                var daemon = try await stage.startDaemon()
                for _ in 1...Knobs.count(1) {
                    try await stage.beginSync()
                    try await stage.target.whileFrozen { try await stage.targetIsReportedSilent() }
                    try await stage.isInStep()
                }

                try await stage.beginSync()
                try await stage.target.whileFrozen { try await daemon.terminate() }
                daemon = try await stage.startDaemon()
                try await stage.isInStep()
                try await daemon.terminate()
            }
        }
    }
}

/// Two images and a daemon at site B that waits for an answer for 3 s.
private struct FrozenStage {
    let scene: Scene
    private let images = ["first", "second"]
    private var workload = SourceWorkload(.forRun("frozen"), size: mebibytes << 20)

    /// So many that their copy takes a while, object by object.
    private static let mebibytes = 32
    /// The daemon's deadline, the time between two looks at an idle peer, the way to the status, and what a busy machine adds.
    private static let reported = Duration.seconds(12)

    init(_ scene: Scene) { self.scene = scene }

    var source: Site { scene.siteA }
    var target: Site { scene.siteB }

    func createImages() async throws {
        for image in images { try await scene.createImage(image, mebibytes: Self.mebibytes, options: ["--object-size", "64K"]) }
    }

    func startDaemon() async throws -> MirrorDaemon {
        try await scene.startDaemon(on: target, options: [
            "--rados-osd-op-timeout", "3", "--rados-mon-op-timeout", "3", "--client-mount-timeout", "3",
        ])
    }

    /// Writes to both images and takes their mirror snapshots, at the same time.
    mutating func changeSource() async throws {
        let source = source
        for image in images { try await workload.fill { try await source.write($0, to: image) } }
        try await withThrowingTaskGroup { group in
            for image in images { group.addTask { [scene] in try await scene.takeMirrorSnapshot(image) } }
            try await group.waitForAll()
        }
    }

    /// Changes both images and returns when a part of each change has arrived; the copy is slow then.
    mutating func beginSync() async throws {
        try await target.slowDown(by: .milliseconds(10))
        try await changeSource()
        for image in images {
            try await waitUntil("\(image) is copied in part", within: .seconds(30)) { try await scene.isCopiedInPart(image) }
        }
    }

    func sourceIsReportedSilent() async throws {
        try await target.goAtFullSpeed()
        try await expect("the source is reported as silent", on: target) { $0.state == "up+error" && $0.description.isOfSilence }
    }

    /// The source's cluster has a status of the site that is silent.
    func targetIsReportedSilent() async throws {
        try await expect("the target is reported as silent", on: source) { status in
            status.peers.contains { $0.state.hasSuffix("+error") && $0.description.isOfSilence }
        }
    }

    private func expect(_ what: String, on site: Site, _ isWanted: @escaping @Sendable (ImageStatus) -> Bool) async throws {
        let frozen = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for image in images {
                group.addTask {
                    try await site.waitForStatus(image, what, within: Self.reported, isWanted)
                    print("\(image): \(what) after \(frozen.duration(to: .now))")
                }
            }
            try await group.waitForAll()
        }
    }

    /// Without anybody's help, within seconds.
    func isInStep() async throws {
        try await target.goAtFullSpeed()
        let thawed = ContinuousClock.now
        for image in images {
            try await scene.waitForSync(image, within: .seconds(30))
            try await target.waitForStatus(image, state: "up+replaying")
        }
        print("in step after \(thawed.duration(to: .now))")
        for image in images { try await ImageJudge(image: image).compare(source, target) }
    }
}

extension String {
    fileprivate var isOfSilence: Bool { contains("no answer within the deadline") }
}

extension Scene {
    /// Whether the newest snapshot at site B is incomplete and some of its objects are there.
    fileprivate func isCopiedInPart(_ image: String) async throws -> Bool {
        guard let newest = try? await siteB.snapshots(image).last(where: \.isMirror) else { return false }
        return newest.isUnderWay
    }
}

nonisolated(nonsending)
private func withFrozenScene(_ pool: String, _ body: (inout FrozenStage) async throws -> Void) async throws {
    try await withScene(pool) { scene in
        var stage = FrozenStage(scene)
        try await stage.createImages()
        do {
            try await body(&stage)
        } catch {
            try await stage.target.goAtFullSpeed()
            throw error
        }
    }
}
