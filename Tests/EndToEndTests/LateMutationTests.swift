import CephSandbox
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The target falls silent in the middle of a change, which is applied after its deadline.
    ///
    /// Until such a change is answered or its client is fenced nobody may go on; then it converges and leaves nothing.
    @Suite struct LateMutationTests {
        /// What is going on when the target falls silent.
        enum Phase: CaseIterable { case creating, syncing, deleting }

        @Test func frozenInMidChange() async throws {
            try await withScene("late") { scene in
                var random = SeededRandom.forRun("late")
                var stage = LateStage(scene: scene, workload: SourceWorkload(random, size: 8 << 20))
                try await stage.startDaemon()
                var hits = 0
                for round in 1...Knobs.count(6) {
                    let phase = Phase.allCases[round % Phase.allCases.count]
                    try await scene.siteB.slowDown(by: .milliseconds(4))
                    let start = try await scene.siteB.operations()
                    let operation = 1 + random.below(phase == .deleting ? 30 : 60)
                    try await stage.begin(phase)
                    let hit = try await stage.freeze(after: start + operation, round.isMultiple(of: 4))
                    let step = hit.isEmpty ? "nothing was under way" : hit.joined(separator: ", ")
                    print("round \(round), \(phase), operation \(operation): \(step)")
                    if !hit.isEmpty { hits += 1 }
                    try await stage.converges()
                    try stage.expectFenced()
                }
                // Else the moments were chosen badly, and the test shows nothing.
                guard hits > 0 else { throw ToolFailure(tool: "the test", text: "no change was cut off") }
                try await stage.ends()
            }
        }
    }
}

/// A daemon at site B that waits for an answer for 3 s, with one image that lives on and others that come and go.
private struct LateStage {
    let scene: Scene
    var workload: SourceWorkload
    private var daemon: MirrorDaemon?
    private var images: [String] = []
    private var gone: [String] = []
    private var count = 0
    private var checked = 0

    init(scene: Scene, workload: SourceWorkload) {
        self.scene = scene
        self.workload = workload
    }

    private var source: Site { scene.siteA }
    private var target: Site { scene.siteB }

    mutating func startDaemon() async throws {
        daemon = try await scene.startDaemon(on: target, options: [
            "--rados-osd-op-timeout", "3", "--rados-mon-op-timeout", "3", "--client-mount-timeout", "3",
            "--rbd_mirror_delete_retry_interval", "1",
        ])
        try await create()
        try await scene.waitForSync(images[0])
    }

    /// Has the daemon begin something.
    mutating func begin(_ phase: EndToEnd.LateMutationTests.Phase) async throws {
        switch phase {
        case .creating: try await create()
        case .syncing:
            let image = images[0], source = source
            try await workload.fill { try await source.write($0, to: image) }
            count += 1
            try await source.rbd("snap", "create", "--no-progress", "\(source.spec(image))@point-\(count)")
            try await source.write(workload.churned(), to: image)
            if count > 1 { _ = try? await source.rbd("snap", "rm", "--no-progress", "\(source.spec(image))@point-\(count - 1)") }
            try await scene.takeMirrorSnapshot(image)
        case .deleting:
            if images.count == 1 {
                try await create()
                try await scene.waitForSync(images[1])
            }
            let image = images.removeLast()
            gone.append(try await target.imageID(image))
            try await source.mirror("disable", image: image)
            try await source.rbd("rm", "--no-progress", source.spec(image))
        }
    }

    private mutating func create() async throws {
        count += 1
        let image = "disk-\(count)", source = source
        images.append(image)
        try await scene.createImage(image, mebibytes: 8, options: ["--object-size", "1M"])
        try await workload.fill { try await source.write($0, to: image) }
        try await source.rbd("image-meta", "set", source.spec(image), "owner", "Ann")
        try await scene.takeMirrorSnapshot(image)
    }

    /// Freezes the target's OSD, or all of its daemons, once it has done so many operations; thaws it after the deadline.
    ///
    /// - Returns: What was under way and not answered.
    func freeze(after operations: Int, _ everything: Bool) async throws -> [String] {
        let target = target
        _ = try? await waitUntil("the target has done \(operations) operations", within: .seconds(6), every: .milliseconds(1)) {
            try await target.operations() >= operations
        }
        let before = try daemon!.wholeLog().count
        if everything { try await target.cluster.freeze() } else { try await target.cluster.osds[0].freeze() }
        // Three seconds are the daemon's patience; nothing comes when nothing was under way.
        let isOver: Void? = try? await waitUntil("the deadline has passed", within: .seconds(5)) {
            try !unanswered(since: before).isEmpty
        }
        try await target.cluster.thaw()
        try await target.goAtFullSpeed()
        return isOver == nil ? [] : try unanswered(since: before)
    }

    /// What the daemon did not get an answer to in its work on images.
    private func unanswered(since start: Int) throws -> [String] {
        try daemon!.wholeLog().dropFirst(start).split(separator: "\n").filter { line in
            ["replay failed", "cannot delete from the trash"].contains { line.contains($0) } && line.contains("no answer within")
        }.compactMap { $0.firstMatch(of: /error="?(\S+) on \S*?([^\/]*): no answer/).map { "\($0.1) on \($0.2)" } }
    }

    /// A client whose change was not answered must have been fenced before anybody went on.
    mutating func expectFenced() throws {
        let log = try daemon!.wholeLog().dropFirst(checked)
        checked += log.count
        guard log.contains(/replay failed.*no answer within the deadline/) else { return }
        if log.contains("fenced an earlier run of this daemon") { return }
        throw ToolFailure(tool: "the daemon", text: "it went on without fencing its client")
    }

    func converges() async throws {
        for image in images {
            try await scene.waitForSync(image)
            try await target.waitForStatus(image, state: "up+replaying")
            try await ImageJudge(image: image).compare(source, target)
        }
        for id in gone { try await target.waitUntilGone(id) }
    }

    func ends() async throws {
        try await daemon!.terminate()
        try await Leftovers(site: target).expectNone(images: images)
    }
}

extension Site {
    /// Operations that the site's OSD has done, reads included.
    func operations() async throws -> Int {
        struct Counters: Decodable {
            struct OSD: Decodable { var op: Int }
            var osd: OSD
        }
        guard let socket = cluster.osds[0].adminSocket else { return 0 }
        let text = try await socket.ask("perf dump", ["logger": "osd", "counter": "op"], timeout: .seconds(10))
        return try JSONDecoder().decode(Counters.self, from: Data(text.utf8)).osd.op
    }
}

extension MirrorDaemon {
    /// All that this run has logged.
    func wholeLog() throws -> String { try String(contentsOfFile: log.string, encoding: .utf8) }
}
