import CephSandbox
import Foundation
import Testing

extension EndToEnd {
    /// The stock status commands print the same of our daemon as of the stock one, on both sites.
    @Suite struct StatusTests {
        /// How the images stand while both daemons work.
        static let standing = [
            Standing("demoted", a: .notPrimary, b: .notPrimary),
            Standing("leaving", a: .primary, b: .replaying),
            Standing("replica", a: .primary, b: .replaying),
            Standing("reverse", a: .replaying, b: .primary),
            Standing("split", a: .primary, b: .splitBrain),
        ]
        static let images = standing.map(\.image)

        @Test func everyStateAsStock() async throws {
            try await withScene("status") { scene in
                // With one object after the other a sync of stock's takes its time without many messages waiting for an answer.
                try await scene.siteA.rbd("config", "pool", "set", scene.siteA.pool, "rbd_concurrent_management_ops", "1")
                try await prepare(scene)
                let stock = try await observe(.stock, scene, comparedWith: nil)
                try await scene.siteA.mirror("promote", image: "leaving")
                _ = try await observe(.ours, scene, comparedWith: stock)
            }
        }

        /// Brings the images into their states; daemons of both makes find them so.
        private func prepare(_ scene: Scene) async throws {
            let (siteA, siteB) = (scene.siteA, scene.siteB)
            let atA = try await scene.startDaemon(on: siteA)
            var atB = try await scene.startDaemon(on: siteB)
            try await scene.createImage("replica", mebibytes: 32, options: ["--object-size", "128K"])
            for image in ["demoted", "leaving", "split"] { try await scene.createImage(image, mebibytes: 8) }
            try await scene.createImage("reverse", on: siteB, mebibytes: 8)
            try await scene.waitForSync("reverse", from: siteB)
            for image in ["replica", "demoted", "leaving", "split"] { try await scene.waitForSync(image) }
            for image in ["demoted", "leaving"] {
                try await siteA.mirror("demote", image: image)
                try await scene.waitForSync(image)
            }
            // As many snapshots before the first run as before the second.
            try await atB.terminate()
            try await siteA.mirror("promote", image: "leaving")
            atB = try await scene.startDaemon(on: siteB)
            try await scene.takeMirrorSnapshot("replica")
            for image in ["leaving", "replica"] { try await scene.waitForSync(image) }
            try await siteB.mirror("promote", "--force", image: "split")
            for daemon in [atA, atB] { try await daemon.terminate() }
            try await siteB.mirror("demote", image: "split")
        }

        private func observe(
            _ make: AnyDaemon.Make, _ scene: Scene, comparedWith stock: Observation?
        ) async throws -> Observation {
            var seen = Observation()
            // The managers go on to list a daemon that was killed, by an earlier test perhaps, for a while.
            try await seen.see("no daemon yet", scene, comparedWith: nil) { view, site in view.hasNoService(site) }
            let (atA, atB) = (try await scene.start(make, on: scene.siteA), try await scene.start(make, on: scene.siteB))
            try await seen.see("images at rest", scene, inFull: Self.images, comparedWith: stock) { view, site in
                view.shows(Self.standing, on: site, scene.other(than: site))
            }
            try await sync(make, scene)
            try await seen.see("a sync", scene, comparedWith: stock) { view, site in
                // Stock looks after an image in a split brain every 30 s, and says nothing of it meanwhile.
                view.says("syncing_percent", not: "starting", "stopping", on: site)
            }
            try await scene.siteB.goAtFullSpeed()

            try await atA.terminate()
            try await demote(scene)
            try await atB.terminate()
            try await seen.see("no daemons", scene, inFull: Self.images, comparedWith: stock) { view, site in
                view.says("down+", not: "up+", on: site) && view.hasNoService(site)
            }
            return seen
        }

        /// Has one sync behind it and another, long one under way.
        private func sync(_ make: AnyDaemon.Make, _ scene: Scene) async throws {
            let (siteA, siteB) = (scene.siteA, scene.siteB)
            for mebibytes in [4, 32] {
                var stream = DiffStream()
                stream.write([UInt8](repeating: UInt8.random(in: 1...255), count: mebibytes << 20), at: 0)
                try await siteA.write(stream, to: "replica")
                if mebibytes == 32 { try await siteB.slowDown(by: .milliseconds(make == .stock ? 120 : 30)) }
                try await scene.takeMirrorSnapshot("replica")
                if mebibytes == 4 {
                    try await scene.waitForSync("replica")
                    try await nextSecond()
                }
            }
            // Stock writes figures every 30 s, to each site at a time of its own, so that they stay once they are there.
            try await siteB.waitForStatus("replica", "syncing", within: .seconds(100)) { $0.description.contains("syncing_percent") }
            try await siteA.waitForStatus("replica", "syncing", within: .seconds(100)) {
                $0.peers.first?.description.contains("syncing_percent") ?? false
            }
            if make == .stock { try await siteB.goAtFullSpeed() }
        }

        /// The figures have whole seconds: two snapshots of one second would look like one.
        private func nextSecond() async throws {
            let second = Int(Date().timeIntervalSince1970)
            try await waitUntil("the second is over") { Int(Date().timeIntervalSince1970) > second }
        }

        /// Of a demotion that a daemon sees happen stock says something else than of one that it finds.
        private func demote(_ scene: Scene) async throws {
            try await scene.siteA.mirror("demote", image: "leaving")
            try await scene.siteB.waitForStatus("leaving", "demoted") { status in
                status.state == "up+unknown" && status.description == "remote image demoted"
                    && status.peers.first?.state == "down+stopped"
            }
        }
    }
}
