import CephCore
import CephSandbox
import JournalReplay
import TestSupport
import Testing

extension EndToEnd {
    /// Roles of images in journal mode: who may write, who follows, and what ends that.
    @Suite struct JournalRoleTests {
        private static let image = "disk"

        /// Stock on one side and ours on the other, then the other way round.
        @Test(arguments: AnyDaemon.Make.allCases) func roundsWithStock(_ atA: AnyDaemon.Make) async throws {
            try await withScene("rounds-\(atA)") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("rounds"), size: 16 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 16, options: ["--object-size", "1M"])
                let daemons = [
                    try await scene.start(atA, on: scene.siteA), try await scene.start(atA == .ours ? .stock : .ours, on: scene.siteB),
                ]
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying", within: .seconds(90))
                var primary = scene.siteA
                for _ in 0...Knobs.count(1) {
                    try await primary.write(workload.churned(), to: Self.image)
                    try await scene.waitForJournal(Self.image, from: primary, within: .seconds(120))
                    try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                    try await scene.handOverJournaled(Self.image, from: primary)
                    primary = scene.other(than: primary)
                }
                for daemon in daemons { try await daemon.terminate() }
            }
        }

        /// The source is silent, the replica is promoted by force: what it has is a moment of the source. Then both were primary.
        @Test func forcedWithTheSourceFrozen() async throws {
            try await withScene("forced") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("forced"), size: 16 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 16, options: ["--object-size", "1M"])
                let daemons = [try await scene.startDaemon(on: scene.siteA), try await scene.startDaemon(on: scene.siteB)]
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying")
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.waitForJournal(Self.image)
                let before = try await scene.siteA.checksum(Self.image)
                try await scene.siteA.whileFrozen {
                    try await scene.siteB.mirror("promote", "--force", image: Self.image)
                    #expect(try await scene.siteB.checksum(Self.image) == before)
                    try await scene.siteB.write(workload.churned(), to: Self.image)
                    try await scene.siteB.waitForStatus(Self.image, "primary", within: .seconds(60)) {
                        $0.state == "up+stopped" && ["local image is primary", "force promoted"].contains($0.description)
                    }
                }
                try await scene.siteB.mirror("demote", image: Self.image)
                try await scene.siteB.waitForStatus(Self.image, "in a split-brain", within: .seconds(60)) {
                    $0.state == "up+error" && $0.description == "split-brain detected"
                }
                try await scene.siteB.mirror("resync", image: Self.image)
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying", within: .seconds(60))
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.waitForJournal(Self.image)
                try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                for daemon in daemons { try await daemon.terminate() }
            }
        }

        /// A client that the source cuts off stops; it begins anew when it is told to.
        @Test func cutOff() async throws {
            try await withScene("cut-off") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("cut-off"), size: 16 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 16, options: ["--object-size", "1M"])
                var daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying")
                try await scene.siteA.rbd("journal", "client", "disconnect", "--image", Self.image, "--pool", scene.siteA.pool)
                try await scene.siteB.waitForStatus(Self.image, "cut off") { $0.state == "up+error" && $0.description == "disconnected" }
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await daemon.terminate()
                daemon = try await scene.startDaemon(on: scene.siteB, options: ["--rbd-mirroring-resync-after-disconnect", "true"])
                try await scene.waitForJournal(Self.image)
                try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                try await daemon.terminate()
            }
        }

        /// An image that loses its journal is not mirrored any more, in a pool that mirrors all that have one: its replica goes.
        @Test func poolMode() async throws {
            try await withScene("pool-mode") { scene in
                for site in scene.sites { try await site.rbd("mirror", "pool", "enable", site.pool, "pool") }
                var workload = SourceWorkload(SeededRandom.forRun("pool-mode"), size: 8 << 20)
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await siteA.rbd("create", siteA.spec("late"), "--size", "8M", "--image-feature", "layering,exclusive-lock")
                let daemon = try await scene.startDaemon(on: siteB, options: ["--rbd_mirror_delete_retry_interval", "1"])
                try await siteA.rbd("feature", "enable", siteA.spec("late"), "journaling")
                try await siteA.write(workload.churned(), to: "late")
                try await siteB.waitForStatus("late", state: "up+replaying")
                try await scene.waitForJournal("late")
                try await ImageJudge(image: "late").compare(siteA, siteB)
                try await siteA.rbd("feature", "disable", siteA.spec("late"), "journaling")
                try await waitUntil("the replica is gone", within: .seconds(60)) { try await siteB.images().isEmpty }
                try await Leftovers(site: siteB).waitUntilOnly(images: [])
                try await daemon.terminate()
            }
        }
    }
}
