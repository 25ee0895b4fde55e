import CephCore
import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// An image that is mirrored by its journal.
    @Suite struct JournalTests {
        static let image = "disk"

        /// From the first copy on, through a change of sides and back.
        @Test func thereAndBack() async throws {
            try await withScene("there-and-back") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("there-and-back"), size: 24 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 32, options: ["--object-size", "1M"])
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.siteA.withImage(Self.image, for: .readWrite) { image in
                    try await image.createSnapshot("old")
                    try await image.protectSnapshot("old")
                    try await image.setMetadata("color", to: "blue")
                }
                let daemons = [try await scene.startDaemon(on: scene.siteA), try await scene.startDaemon(on: scene.siteB)]
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying")
                var (primary, others) = (scene.siteA, [scene.siteB, scene.siteA])
                for round in 0..<2 + Knobs.count(1) {
                    for step in 0..<2 {
                        try await primary.write(workload.churned(), to: Self.image)
                        try await primary.withImage(Self.image, for: .readWrite) { image in
                            try await image.createSnapshot("s\(round)-\(step)")
                            try await image.resize(to: UInt64(24 + round * 4 + step) << 20, shrinking: true)
                            try await image.setMetadata("round", to: "\(round)")
                        }
                    }
                    try await scene.waitForJournal(Self.image, from: primary)
                    try await ImageJudge(image: Self.image).compare(scene.siteA, scene.siteB)
                    try await scene.handOverJournaled(Self.image, from: primary)
                    primary = others[0]
                    others.reverse()
                }
                try await scene.checkObjectMaps(Self.image, on: primary)
                for daemon in daemons { try await daemon.terminate() }
            }
        }

        /// A clone sees its parent in what was not written, before it is flattened and after.
        @Test func aClone() async throws {
            try await withScene("journaled-clone") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("journaled-clone"), size: 16 << 20)
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await scene.createJournaled("parent", mebibytes: 16, options: ["--object-size", "64K"])
                try await workload.fill { try await siteA.write($0, to: "parent") }
                try await siteA.withImage("parent", for: .readWrite) { image in
                    try await image.createSnapshot("base")
                    try await image.protectSnapshot("base")
                }
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.waitForJournal("parent")
                try await siteA.rbd(
                    "clone", siteA.spec("parent@base"), siteA.spec("child"), "--image-feature",
                    "layering,exclusive-lock,object-map,fast-diff,journaling")
                try await siteA.rbd("mirror", "image", "enable", siteA.spec("child"), "journal")
                try await siteB.waitForStatus("child", state: "up+replaying", within: .seconds(60))
                for step in 0..<3 {
                    try await siteA.write(workload.churned(), to: "child")
                    try await siteA.withImage("child", for: .readWrite) { try await $0.createSnapshot("s\(step)") }
                    // What is cut off is the snapshot's from then on, and no parent's.
                    if step == 0 {
                        try await siteA.withImage("child", for: .readWrite) { image in
                            try await image.resize(to: 3 << 20, shrinking: true)
                            try await image.rollBack(toSnapshot: "s0")
                        }
                    }
                    if step == 1 { try await siteA.withImage("child", for: .readWrite) { try await $0.flatten() } }
                }
                try await scene.waitForJournal("child")
                try await ImageJudge(image: "child", ownFeatures: ["data-pool", "operations"]).compare(siteA, siteB)
                try await daemon.terminate()
            }
        }
    }
}
