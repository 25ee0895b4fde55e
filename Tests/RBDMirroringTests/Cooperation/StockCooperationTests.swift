import CephCore
import CephSandbox
import RBDImage
import RBDMirroring
import Testing

extension CooperationTests {
    /// Our daemon and the stock one side by side.
    @Suite(.serialized) struct StockCooperationTests {
        private static func pair() async throws -> SandboxPair {
            try await SandboxPair.shared(.init(SandboxConfiguration(), pools: ["stock-cooperation"]))
        }

        /// A mirrored pool with images on the first site, and its global ids.
        private func makePool(_ pair: SandboxPair, _ pool: String, images: Int) async throws -> Set<String> {
            try await pair.addMirroredPool(pool)
            for number in 0..<images {
                try await pair.siteA.rbd("create", "\(pool)/disk\(number)", "--size", "4M")
                try await pair.siteA.rbd("mirror", "image", "enable", "\(pool)/disk\(number)", "snapshot")
            }
            struct Info: Decodable {
                struct Mirroring: Decodable { var global_id: String }
                var mirroring: Mirroring
            }
            var ids: Set<String> = []
            for number in 0..<images {
                let info: Info = try await pair.siteA.rbdJSON("info", "\(pool)/disk\(number)")
                ids.insert(info.mirroring.global_id)
            }
            return ids
        }

        /// Keeps a daemon told which images there are, as an engine does.
        private func follow(_ daemon: TestDaemon, _ remote: Set<String>) -> Task<Void, Never> {
            Task {
                while !Task.isCancelled {
                    if let local = try? await MirrorDirectory(daemon.pool).images().values {
                        await daemon.share.imagesChanged(local: Set(local), remote: remote)
                    }
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }

        /// Runs a stock daemon on the second site, which serves all pools there; it must not outlive its test.
        private func withStock(
            _ pair: SandboxPair, _ options: [String: String], _ body: (SandboxDaemon) async throws -> Void
        ) async throws {
            let stock = try await pair.siteB.startRBDMirror(options: options)
            do {
                try await pair.siteB.showingLogsOnFailure { try await body(stock) }
            } catch {
                try? await stock.stop()
                throw error
            }
            try await stock.stop()
        }

        private let quick = ["rbd_mirror_leader_heartbeat_interval": "1", "rbd_mirror_image_policy_migration_throttle": "0"]

        @Test func stockLeadsAndOursFollows() async throws {
            let pair = try await Self.pair()
            let ids = try await makePool(pair, "follows", images: 4)
            try await pair.siteB.createUser("client.rbd-mirror.ours", ["mon": "profile rbd-mirror", "osd": "profile rbd"])
            let observer = try await Cluster.connect(.configurationFile(pair.siteB.configurationFile.string))
            let pool = try await observer.pool("follows")
            try await withStock(pair, quick) { _ in
                // Stock does not move images that are not served yet.
                try await eventually("stock serves all images") {
                    try await pair.siteB.rbd("ls", "follows").split(separator: "\n").count == 4
                }
                #expect(Set(try await imageMap(pool).keys) == ids)
                let stockID = try await imageMap(pool).values.first!

                let daemon = try await TestDaemon.start(pair.siteB, pool: "follows", as: "client.rbd-mirror.ours")
                try await eventually("stock shares with ours") { daemon.owner.now.images.count == 2 }
                #expect(daemon.cooperator.leader == stockID && !daemon.cooperator.isLeader)
                #expect(try await imageMap(pool).values.count { $0 == daemon.cooperator.instanceID } == 2)

                // Stock's throttle lets five syncs run; the sixth waits for one to end.
                var permits: [SyncPermit] = []
                for number in 0..<5 { permits.append(try await daemon.share.requestSync("sync\(number)")) }
                let sixth = Task { try await daemon.share.requestSync("sync5") }
                permits.removeLast().finish()
                permits.append(try await sixth.value)
                for permit in permits { permit.finish() }

                await daemon.cooperator.stop()
                #expect(daemon.owner.now.images == [])
                try await eventually("stock has all images again") {
                    try await imageMap(pool).values.allSatisfy { $0 == stockID }
                }
                await daemon.cluster.shutdown()
            }
            await observer.shutdown()
        }

        @Test func oursLeadsAndStockMirrors() async throws {
            let pair = try await Self.pair()
            let ids = try await makePool(pair, "leads", images: 4)
            let daemon = try await TestDaemon.start(pair.siteB, pool: "leads")
            try await eventually("ours leads") { daemon.cooperator.isLeader }
            let following = follow(daemon, ids)
            try await eventually("ours has all images") { daemon.owner.now.images == ids }

            try await withStock(pair, quick) { _ in
                try await eventually("ours shares with stock") { daemon.owner.now.images.count == 2 }
                try await eventually("stock has copied its half") {
                    try await pair.siteB.rbd("ls", "leads").split(separator: "\n").count == 2
                }
                // Its syncs asked us, and are counted no more: all slots are free.
                var permits: [SyncPermit] = []
                for number in 0..<5 { permits.append(try await daemon.share.requestSync("sync\(number)")) }
                for permit in permits { permit.finish() }

                // Ours leaves: stock leads and copies the rest.
                following.cancel()
                await daemon.stop()
                try await eventually("stock has copied everything") {
                    try await pair.siteB.rbd("ls", "leads").split(separator: "\n").count == 4
                }
            }
        }

        @Test func aKilledStockFollowerIsFenced() async throws {
            let pair = try await Self.pair()
            let ids = try await makePool(pair, "killed", images: 2)
            // What stock's users may do is enough to fence.
            try await pair.siteB.createUser("client.rbd-mirror.ours", ["mon": "profile rbd-mirror", "osd": "profile rbd"])
            let daemon = try await TestDaemon.start(pair.siteB, pool: "killed", as: "client.rbd-mirror.ours")
            let following = follow(daemon, ids)
            try await withStock(pair, quick) { stock in
                try await eventually("they share") {
                    let map = try await imageMap(daemon.pool)
                    return daemon.owner.now.images.count == 1 && Set(map.values).count == 2
                }
                let dead = try #require(try await imageMap(daemon.pool).values.first { $0 != daemon.cooperator.instanceID })
                let address = try await daemon.pool.lockInfo(of: "rbd_mirror_instance.\(dead)", name: "rbd_lock").lockers[0].address
                try await stock.kill()
                try await eventually("ours has all images") { daemon.owner.now.images == ids }
                #expect(try await pair.siteB.ceph("osd", "blocklist", "ls").contains(address))
                #expect(try await instances(daemon.pool) == [daemon.cooperator.instanceID])
            }
            following.cancel()
            await daemon.stop()
        }

        /// With the usual timing.
        @Test func aKilledStockLeaderIsSucceededWithinHalfAMinute() async throws {
            let pair = try await Self.pair()
            let ids = try await makePool(pair, "succeeded", images: 2)
            var configuration = CooperationConfiguration.brisk
            configuration.timing = ElectionTiming()
            let observer = try await Cluster.connect(.configurationFile(pair.siteB.configurationFile.string))
            let pool = try await observer.pool("succeeded")
            try await withStock(pair, [:]) { stock in
                try await eventually("stock has all images") { Set(try await imageMap(pool).keys) == ids }
                let daemon = try await TestDaemon.start(pair.siteB, pool: "succeeded", configuration: configuration)
                let following = follow(daemon, ids)
                try await eventually("ours knows the leader") { daemon.cooperator.leader != nil }
                #expect(!daemon.cooperator.isLeader)

                try await stock.kill()
                let start = ContinuousClock.now
                try await eventually("ours leads") { daemon.cooperator.isLeader }
                let led = ContinuousClock.now - start
                try await eventually("ours has all images") { daemon.owner.now.images == ids }
                print("stock killed: led after \(led), all images after \(ContinuousClock.now - start)")
                #expect(led < .seconds(35))
                #expect(daemon.owner.now.loss == nil)
                following.cancel()
                await daemon.stop()
            }
            await observer.shutdown()
        }
    }
}
