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
    }
}
