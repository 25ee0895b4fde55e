import CephCore
import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Stock daemons and ours go on where the other was, in a first copy and in a replay.
    @Suite struct JournalTakeoverTests {
        private static let image = "disk"

        @Test(arguments: AnyDaemon.Make.allCases) func inTheFirstCopy(_ first: AnyDaemon.Make) async throws {
            try await withScene("takeover-copy-\(first)") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("takeover-copy"), size: 32 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 32, options: ["--object-size", "128K"])
                try await workload.fill { try await scene.siteA.write($0, to: Self.image) }
                try await scene.siteA.withImage(Self.image, for: .readWrite) { try await $0.createSnapshot("before") }
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.siteB.slowDown(by: .milliseconds(10))
                let options = ["rbd_mirror_leader_heartbeat_interval": "2", "rbd_mirror_sync_point_update_age": "0.2"]
                let begun = try await scene.start(first, on: scene.siteB, options: options)
                try await waitUntil("a part of \(Self.image) is copied", within: .seconds(90), every: .milliseconds(50)) {
                    try await scene.isFirstCopyUnderWay(Self.image)
                }
                try await begun.kill()
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.siteB.goAtFullSpeed()
                let other: AnyDaemon.Make = first == .ours ? .stock : .ours
                let daemon = try await scene.start(other, on: scene.siteB, options: options)
                try await scene.waitForJournal(Self.image, within: .seconds(120))
                try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                try await daemon.terminate()
            }
        }

        /// What was done after the copy began goes by the names that snapshots had then, whatever they are called when it is resumed.
        @Test func namesThatChangeInTheFirstCopy() async throws {
            try await withScene("first-copy-names") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(SeededRandom.forRun("first-copy-names"), size: 32 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 32, options: ["--object-size", "128K"])
                try await workload.fill { try await siteA.write($0, to: Self.image) }
                for name in ["first", "second"] {
                    try await siteA.withImage(Self.image, for: .readWrite) { try await $0.createSnapshot(name) }
                    try await siteA.write(workload.churned(), to: Self.image)
                }
                try await siteB.slowDown(by: .milliseconds(10))
                let options = ["rbd_mirror_sync_point_update_age": "0.2"]
                let begun = try await scene.start(.ours, on: siteB, options: options)
                try await waitUntil("a part of \(Self.image) is copied", within: .seconds(90), every: .milliseconds(50)) {
                    try await scene.isFirstCopyUnderWay(Self.image)
                }
                try await begun.kill()
                try await siteA.withImage(Self.image, for: .readWrite) { image in
                    try await image.rollBack(toSnapshot: "first")
                    for (old, new) in [("first", "passing"), ("second", "first"), ("passing", "second")] {
                        try await image.renameSnapshot(old, to: new)
                    }
                }
                try await siteB.goAtFullSpeed()
                let daemon = try await scene.start(.ours, on: siteB, options: options)
                try await scene.waitForJournal(Self.image, within: .seconds(120))
                try await ImageJudge(image: Self.image).compare(siteA, siteB)
                try await daemon.terminate()
            }
        }

        @Test func inAReplay() async throws {
            try await withScene("takeover-replay") { scene in
                var random = SeededRandom.forRun("takeover-replay")
                var workload = SourceWorkload(random, size: 32 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 32, options: ["--object-size", "1M"])
                try await scene.siteA.write(workload.churned(), to: Self.image)
                var make = AnyDaemon.Make.ours
                for round in 0..<4 {
                    let daemon = try await scene.start(make, on: scene.siteB, options: ["rbd_mirror_leader_heartbeat_interval": "2"])
                    if round == 0 { try await scene.siteB.waitForStatus(Self.image, state: "up+replaying") }
                    try await scene.siteA.write(workload.churned(), to: Self.image)
                    try await scene.siteA.withImage(Self.image, for: .readWrite) { try await $0.createSnapshot("s\(round)") }
                    try await scene.siteA.write(workload.churned(), to: Self.image)
                    try await scene.waitForMark("s\(round)", of: Self.image, from: scene.siteA, within: .seconds(120))
                    if random.oneIn(2) { try await daemon.kill() } else { try await daemon.terminate() }
                    make = make == .ours ? .stock : .ours
                }
                let last = try await scene.startDaemon(on: scene.siteB)
                try await scene.waitForJournal(Self.image)
                try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                try await last.terminate()
            }
        }
    }
}

extension Scene {
    /// Whether the first copy of an image has recorded progress and is not complete.
    fileprivate func isFirstCopyUnderWay(_ image: String) async throws -> Bool {
        let site = try await siteB.withClient { try await $0.mirrorUUID() }
        let client = try await siteA.withJournal(image) { try await $0.header().client(site) }
        guard case .peer(let peer)? = try client?.role(), peer.state == .syncing else { return false }
        return (peer.syncPoints.first?.lastObject ?? 0) > 0
    }
}
