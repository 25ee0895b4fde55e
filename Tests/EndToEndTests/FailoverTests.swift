import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// The stock `rbd` moves the primary from site to site and back, with a daemon on both.
    @Suite struct FailoverTests {
        /// Who serves which site.
        struct Cast: CustomTestStringConvertible, Sendable {
            let pool: String
            let a: AnyDaemon.Make
            let b: AnyDaemon.Make
            var releases = Releases.same
            /// Where the image is made.
            var beginsOnB = false
            var testDescription: String { pool }
        }

        @Test func thereAndBack() async throws { try await play(Cast(pool: "failover", a: .ours, b: .ours)) }

        /// A stock daemon looks again after 30 s, so that a round takes a minute or two.
        @Test func besideStock() async throws { try await play(Cast(pool: "failover-stock", a: .stock, b: .ours), rounds: 2) }

        /// Site B has a newer release; our daemon is linked to this machine's.
        @Test(.needsNewerRelease, arguments: [
            Cast(pool: "failover-mixed", a: .ours, b: .ours, releases: .newerOnB),
            Cast(pool: "failover-mixed-b", a: .ours, b: .ours, releases: .newerOnB, beginsOnB: true),
        ])
        func betweenReleases(_ cast: Cast) async throws { try await play(cast) }

        @Test(.needsNewerRelease) func betweenReleasesBesideStock() async throws {
            try await play(Cast(pool: "failover-mixed-stock", a: .ours, b: .stock, releases: .newerOnB), rounds: 2)
        }

        /// By force, each site in turn; the daemon at the survivor waits for nobody.
        @Test func disasters() async throws {
            try await withScene("disasters") { scene in
                let daemons = [try await scene.startDaemon(on: scene.siteA), try await scene.startDaemon(on: scene.siteB)]
                var rounds = FailoverRounds(scene, a: .ours, b: .ours)
                try await rounds.begin(on: scene.siteA)
                for round in 1...Knobs.count(2) {
                    try await rounds.disaster(on: round.isMultiple(of: 2) ? scene.siteB : scene.siteA, round: round)
                }
                try rounds.expectNoGrowth()
                for daemon in daemons { try await daemon.terminate() }
                for site in scene.sites { try await Leftovers(site: site).expectNone(images: [rounds.image]) }
            }
        }

        private func play(_ cast: Cast, rounds usual: Int = 3) async throws {
            try await withScene(cast.pool, releases: cast.releases) { scene in
                let daemons = [try await scene.start(cast.a, on: scene.siteA), try await scene.start(cast.b, on: scene.siteB)]
                var rounds = FailoverRounds(scene, a: cast.a, b: cast.b)
                let first = cast.beginsOnB ? scene.siteB : scene.siteA
                try await rounds.begin(on: first)
                for round in 1...Knobs.count(usual) { try await rounds.thereAndBack(from: first, round: round) }
                try rounds.expectNoGrowth()
                for daemon in daemons {
                    try daemon.expectNever("split-brain")
                    try await daemon.terminate()
                }
                for site in scene.sites where rounds.make(on: site) == .ours {
                    try await Leftovers(site: site).expectNone(images: [rounds.image])
                }
            }
        }
    }
}

extension EndToEnd.FailoverTests {
    /// Whoever promotes as soon as the last point is complete meets a daemon that is still at work on the image.
    @Test func promotedAtOnce() async throws {
        try await withScene("at-once") { scene in
            let daemon = try await scene.startDaemon(on: scene.siteB)
            var workload = SourceWorkload(SeededRandom.forRun("at once"), size: 16 << 20)
            for image in ["disk-1", "disk-2"] {
                try await scene.createImage(image, mebibytes: 16)
                try await workload.fill { try await scene.siteA.write($0, to: image) }
                try await scene.takeMirrorSnapshot(image)
                try await scene.waitForSync(image)
                try await scene.siteA.write(workload.churned(), to: image)
                // What has to be removed after the sync waits for the monitor, longer than the promoter takes to come.
                try await scene.siteB.proposeMaps(every: .seconds(3))
                try await scene.siteA.mirror("demote", image: image)
                let demotion = try await scene.siteA.lastMirrorSnapshot(image).id
                try await waitUntil("the demotion is complete", every: .milliseconds(5)) {
                    let last = try await scene.siteB.lastMirrorSnapshot(image)
                    return last.isComplete && last.primaryID == demotion
                }
                try await scene.siteB.mirror("promote", image: image)
                try await ImageJudge(image: image).compare(scene.siteA, scene.siteB)
                try await scene.siteB.waitForStatus(image, state: "up+stopped", within: .seconds(10))
                try await scene.siteB.proposeMaps(every: .milliseconds(50))
            }
            // Else the promotions came too late, and the test shows nothing.
            #expect(daemon.logTail(lines: 10_000).contains("a promotion asks for the image"))
            try await daemon.terminate()
        }
    }
}
