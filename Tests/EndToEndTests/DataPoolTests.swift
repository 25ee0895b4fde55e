import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Images whose data is in another pool than the image itself, and images in namespaces.
    @Suite struct DataPoolTests {
        /// Pools beside the images' own, and where the data belongs.
        struct Place: CustomTestStringConvertible, Sendable {
            let pool: String
            var namespace = ""
            /// The source's data pool.
            let source: String
            /// The target's pools.
            var pools: [String] = []
            /// The target's `rbd_default_data_pool`.
            var configured: String?
            /// The replica's data pool.
            let target: String?
            var testDescription: String { pool }
        }

        static let places = [
            Place(pool: "data-alike", source: "bulk", pools: ["bulk"], target: "bulk"),
            Place(pool: "data-at-source", source: "bulk", target: nil),
            Place(pool: "data-configured", source: "bulk", pools: ["bulk", "archive"], configured: "archive", target: "archive"),
            Place(pool: "tenants", namespace: "ann", source: "bulk", pools: ["bulk"], target: "bulk"),
        ]

        @Test(arguments: places) func dataIsWhereItBelongs(_ place: Place) async throws {
            try await withScene(place.pool, namespace: place.namespace) { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await scene.addPool(place.source, on: siteA)
                for pool in place.pools { try await scene.addPool(pool, on: siteB) }
                var image = ImageStory(
                    scene, SeededRandom.forRun(place.pool), mebibytes: 16, options: ["--data-pool", place.source])
                try await image.unfold(daemonOptions: place.configured.map { ["--rbd_default_data_pool", $0] } ?? []) { name in
                    try await DataPlacement.expect(name, on: siteA, in: place.source, not: [])
                    try await DataPlacement.expect(name, on: siteB, in: place.target, not: place.pools)
                    try await siteA.waitForStatus(name, "replayed on the other site") { status in
                        status.peer_sites?.first?.state == "up+replaying"
                    }
                    try await siteB.waitForStatus(name, state: "up+replaying")
                }
                try await Leftovers(site: siteB, dataPool: place.target).expectNone(images: [image.name])
            }
        }

        /// The daemon dies while it makes the snapshots of a new image: the next one takes apart what there is.
        @Test func aHalfBuiltImage() async throws {
            try await withScene("half-built") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                for site in scene.sites { try await scene.addPool("bulk", on: site) }
                try await siteA.rbd("create", siteA.spec("disk"), "--size", "8M", "--data-pool", "bulk")
                var workload = SourceWorkload(SeededRandom.forRun("half-built"), size: 8 << 20)
                try await siteA.write(workload.churned(), to: "disk")
                for number in 1...10 {
                    try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec("disk"))@\(number)")
                }
                try await siteA.mirror("enable", "snapshot", image: "disk")

                // The stock `rbd` takes longer to look than the daemon to make all snapshots.
                try await siteB.slowDown(by: .milliseconds(50))
                let victim = try await scene.startDaemon(on: siteB)
                try await victim.waitForLog("creating the local image")
                let id = try #require(victim.logTail(lines: 1000).firstMatch(of: /image\.id=([0-9a-f]+)/)).1
                try await waitUntil("the replica has a snapshot", within: .seconds(30), every: .milliseconds(20)) {
                    (try? await siteB.omapKeys("rbd_header.\(id)"))?.contains { $0.hasPrefix("snapshot_") } == true
                }
                try await victim.kill()
                try await siteB.goAtFullSpeed()
                guard try await siteB.snapshots("disk").allSatisfy({ !$0.isMirror }) else {
                    throw ToolFailure(tool: "the test", text: "the image was more than half built")
                }
                let daemon = try await scene.startDaemon(on: siteB)
                try await daemon.waitForLog("removing a half-built image")
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                try await DataPlacement.expect("disk", on: siteB, in: "bulk", not: [])
                try await daemon.terminate()
                try await Leftovers(site: siteB, dataPool: "bulk").expectNone(images: ["disk"])
            }
        }
    }
}
