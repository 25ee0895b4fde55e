import CephCore
import CephSandbox
import Foundation
import RBDImage
import TestSupport
import Testing

extension EndToEnd {
    /// Two daemons of a pool are told to serve one image: one of them does, and nothing is torn.
    @Suite struct ForgedMessageTests {
        enum Features: String, CaseIterable, Sendable {
            case all
            /// Without a lock that could tell the daemons apart.
            case noLock

            var options: [String] {
                ["--object-size", "64K"] + (self == .noLock ? ["--image-feature", "layering"] : [])
            }
        }

        /// A message that no leader has sent: the map gives the image to the other daemon.
        @Test(arguments: Features.allCases) func acquireMessage(_ features: Features) async throws {
            try await withTwoDaemons("forged-\(features)", features) { scene, pair in
                let reply = try await pair.forge(scene)
                #expect(reply < 0)
                #expect(try pair.idle.wholeLog().contains("refused an image"))
            }
        }

        /// A map that no leader has written, besides: then the lock tells who writes.
        @Test func acquireMessageAndMap() async throws {
            try await withTwoDaemons("forged-map", .all) { scene, pair in
                try await scene.siteB.withClient { pool in
                    let entry = MirrorImageMapEntry(instanceID: pair.idleInstance, mappedTime: CephTime(seconds: 1, nanoseconds: 0))
                    var operation = WriteOperation()
                    operation.call(MirroringMethod.imageMapUpdate(globalID: pair.globalID, entry))
                    try await pool.apply(operation, to: "rbd_mirror_leader")
                }
                #expect(try await pair.forge(scene) == 0)
                try await pair.idle.waitForLog("reason=lock-lost")
            }
        }

        /// Runs the body in the middle of a sync with two daemons, one of which serves the image.
        private func withTwoDaemons(_ name: String, _ features: Features, _ body: (Scene, ServingPair) async throws -> Void) async throws {
            try await withScene(name) { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun(name), size: 16 << 20)
                let daemons = [try await scene.startDaemon(on: siteB, "one"), try await scene.startDaemon(on: siteB, "two")]
                try await waitUntil("both daemons are there") { try await siteB.watchers(of: "rbd_mirroring").count == 2 }
                try await scene.createImage("disk", mebibytes: 16, options: features.options)
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                let pair = try await ServingPair(daemons, "disk", siteB)
                try await siteB.slowDown()
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                // Not slower than this: the daemons must hear of each other.
                try await waitUntil("the sync is under way") { try await siteB.lastMirrorSnapshot("disk").isUnderWay }
                try await body(scene, pair)
                try await siteB.goAtFullSpeed()
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                try await siteA.write(workload.churned(), to: "disk")
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                // One wrote all the time, the other never.
                #expect(try !pair.idle.wholeLog().contains("reason=syncing"))
                #expect(try pair.serving.wholeLog().ranges(of: ": synced ").count >= 3)
                for daemon in daemons { try await daemon.terminate() }
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

/// Two daemons of a pool and an image that one of them serves.
private struct ServingPair {
    let globalID: String
    let serving: MirrorDaemon
    let idle: MirrorDaemon
    let idleInstance: String

    init(_ daemons: [MirrorDaemon], _ image: String, _ site: Site) async throws {
        let globalID = try await site.status(image).globalID
        self.globalID = globalID
        let busy = try daemons.map { try $0.wholeLog().contains("reason=syncing") }
        guard let server = busy.firstIndex(of: true), busy.filter(\.self).count == 1 else {
            throw ToolFailure(tool: "the daemons", text: "they serve \(image): \(busy)")
        }
        serving = daemons[server]
        idle = daemons[1 - server]
        guard let instance = try idle.wholeLog().firstMatch(of: /instance=(\d+)/).map({ String($0.1) }) else {
            throw ToolFailure(tool: "the daemon", text: "it does not tell its instance")
        }
        idleInstance = instance
    }

    /// Tells the daemon that has nothing to do to serve the image; returns what it answers.
    func forge(_ scene: Scene) async throws -> Int32 {
        try await scene.siteB.withClient { pool in
            let request = InstanceMessage(requestID: 1, .acquireImage(globalID: globalID))
            let outcome = try await pool.notify("rbd_mirror_instance.\(idleInstance)", request.encoded)
            guard let answer = outcome.replies.first(where: { !$0.payload.isEmpty }) else {
                throw ToolFailure(tool: "the daemon", text: "no answer: \(outcome)")
            }
            return try InstanceReply(encoded: answer.payload).result
        }
    }
}
