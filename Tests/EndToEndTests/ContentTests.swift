import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// What is in an image, and what belongs to it, arrives unchanged.
    @Suite struct ContentTests {
        @Test func anImageWithEverything() async throws {
            try await withScene("everything") { scene in
                var image = ImageStory(scene, SeededRandom.forRun("everything"), mebibytes: Knobs.mebibytes)
                try await image.begin()
                let daemon = try await scene.startDaemon(on: scene.siteB)
                try await image.isInStep()
                try await image.growAndSnapshot()
                try await image.isInStep()
                try await image.shrinkAndRename()
                try await image.isInStep()
                try await image.rearrangeSnapshots()
                try await image.isInStep()
                try await daemon.terminate()
                try await image.pileUpSnapshots()
                let next = try await scene.startDaemon(on: scene.siteB)
                try await image.isInStep(diffs: .wholeObjects)

                try await scene.handOver(image.name, from: scene.siteA)
                try await scene.checkObjectMaps(image.name, on: scene.siteB)
                try await image.compare(diffs: .wholeObjects)
                try await next.terminate()
            }
        }

        /// Images that are not as `rbd create` makes them today.
        struct Kind: CustomTestStringConvertible, Sendable {
            let pool: String
            let options: [String]
            var mebibytes = 40
            var testDescription: String { pool }
        }

        static let kinds = [
            Kind(pool: "no-object-map", options: ["--image-feature", "layering,exclusive-lock"]),
            Kind(pool: "no-fast-diff", options: ["--image-feature", "layering,exclusive-lock,object-map"]),
            Kind(pool: "layering-only", options: ["--image-feature", "layering"]),
            Kind(pool: "smallest-objects", options: ["--object-size", "4K"], mebibytes: 6),
            Kind(pool: "small-objects", options: ["--object-size", "64K"]),
            Kind(pool: "large-objects", options: ["--object-size", "32M"]),
            Kind(pool: "striped", options: ["--stripe-unit", "64K", "--stripe-count", "4"]),
            // On the way its size ends within the first stripe of a period.
            Kind(pool: "wide-stripes", options: ["--object-size", "1M", "--stripe-unit", "512K", "--stripe-count", "4"]),
            Kind(pool: "stripes-of-one", options: ["--object-size", "1M", "--stripe-unit", "64K", "--stripe-count", "1"], mebibytes: 10),
        ]

        @Test(arguments: kinds) func everyKindOfImage(_ kind: Kind) async throws {
            try await withScene(kind.pool) { scene in
                var image = ImageStory(scene, SeededRandom.forRun(kind.pool), mebibytes: kind.mebibytes, options: kind.options)
                try await image.unfold()
                try await Leftovers(site: scene.siteB).expectNone(images: [image.name])
            }
        }
    }
}
