import CephSandbox
import Foundation
import RBDImage
import TestSupport
import Testing

extension EndToEnd {
    /// Somebody takes an image's lock in the middle of a sync.
    @Suite struct TakenLockTests {
        /// `rbd lock rm` fences whoever has the lock.
        @Test func brokenWithFencing() async throws {
            try await withHeldImage("lock-fenced") { scene, daemon, _ in
                let siteB = scene.siteB
                let old = try await siteB.watchers(of: "rbd_mirroring")
                struct Lock: Decodable { var id: String, locker: String }
                let locks = try await siteB.cluster.rbdJSON("lock", "ls", siteB.spec("disk"), as: [Lock].self)
                guard let lock = locks.first else { throw ToolFailure(tool: "rbd lock ls", text: "nobody holds the lock") }
                // It fences first: the daemon's new client may be faster with the lock than it is.
                _ = try? await siteB.rbd("lock", "rm", siteB.spec("disk"), lock.id, lock.locker)
                try await siteB.goAtFullSpeed()
                // The image's own work sees it first, or the daemons' heartbeats.
                try await daemon.waitForLog("this client is blocklisted")
                try await waitUntil("a new client is at work", within: .seconds(20), every: .milliseconds(100)) {
                    let now = try await siteB.watchers(of: "rbd_mirroring")
                    return now.count == 1 && now != old
                }
            }
        }

        /// Nobody is fenced, and somebody else has the lock: our daemon stops, and says who has it.
        @Test func brokenAndTaken() async throws {
            try await withHeldImage("lock-taken") { scene, daemon, points in
                let siteB = scene.siteB
                let id = try await siteB.imageID("disk")
                try await siteB.withClient { pool in
                    let thief = try await ImageLock.watching(id, in: pool)
                    let holder = try await pool.lockInfo(of: thief.object, name: ImageLock.name).lockers.first
                    guard let holder else { throw ToolFailure(tool: "the lock", text: "nobody holds it") }
                    try await siteB.cluster.run("rados", [
                        "-p", siteB.pool, "lock", "break", thief.object, ImageLock.name, "client.\(holder.client)",
                        "--lock-cookie", holder.cookie,
                    ])
                    try await thief.acquire()
                    try await siteB.goAtFullSpeed()
                    try await siteB.waitForStatus("disk", "locked by somebody else", within: .seconds(15)) { status in
                        status.state == "up+error" && status.description.contains("the image is locked by client.\(pool.cluster.globalID)")
                    }
                    #expect(try daemon.wholeLog().contains("reason=lock-lost"))
                    // What was in flight has ended: as long as the lock is held nothing is written any more.
                    let held = try await siteB.state(of: "disk")
                    try await ImageBytes.of("disk", on: siteB, objectSize: 64 << 10).expectObjects(of: points)
                    try await daemon.waitForLog("replay failed", times: 4)
                    #expect(try await siteB.state(of: "disk") == held)
                    await thief.close()
                }
            }
        }

        /// Runs the body in the middle of a sync; afterwards it must come to its end, and so must the next.
        private func withHeldImage(_ name: String, _ body: (Scene, MirrorDaemon, [ImageBytes]) async throws -> Void) async throws {
            try await withScene(name) { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun(name), size: 12 << 20)
                try await scene.createImage("disk", mebibytes: 12, options: ["--object-size", "64K"])
                let daemon = try await scene.startDaemon(on: siteB)
                var points: [ImageBytes] = []
                for round in 1...2 {
                    try await workload.fill { try await siteA.write($0, to: "disk") }
                    points.append(try await ImageBytes.of("disk", on: siteA, objectSize: 64 << 10))
                    if round == 2 { try await siteB.slowDown() }
                    try await scene.takeMirrorSnapshot("disk")
                    if round == 1 { try await scene.waitForSync("disk") }
                }
                try await scene.holdSync("disk")
                try await body(scene, daemon, points)
                try await scene.expectFollowed("disk", workload.churned(), within: .seconds(40))
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

extension Site {
    /// Content and snapshots of an image, with how far they are copied.
    fileprivate func state(of image: String) async throws -> String {
        let listing = try await rbd("snap", "ls", "--all", "--format", "json", spec(image))
        return try await checksum(image) + listing
    }
}
