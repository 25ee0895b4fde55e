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
                        status.peers.first?.state == "up+replaying"
                    }
                    try await siteB.waitForStatus(name, state: "up+replaying")
                }
                try await Leftovers(site: siteB, dataPool: place.target).expectNone(images: [image.name])
            }
        }
    }
}
