import CephCore
import CephSandbox
import RBDImage
import RBDMirroring
import Testing

extension CooperationTests {
    /// Daemons that are killed.
    @Suite(.serialized) struct PredecessorTests {
        private static let images = ["a", "b", "c", "d"]

        private func sandbox(_ pool: String) async throws -> SandboxCluster {
            let cluster = try await SandboxCluster.shared(SandboxConfiguration(manager: false))
            try await cluster.createPool(pool)
            return cluster
        }

        private func startHolder(_ sandbox: SandboxCluster, _ pool: String, daemon: String, interval: Double = 5) throws -> SandboxProcess {
            try SandboxProcess.start(
                SandboxProcess.sibling("CooperationHolder").string,
                [sandbox.configurationFile.string, pool, daemon, "\(interval)"] + Self.images,
                log: sandbox.folder.appending("holder-\(pool)-\(daemon).log"))
        }

        private func instance(_ holder: SandboxProcess) throws -> String {
            let word = try #require(holder.logTail(lines: 100).firstMatch(of: /instance (\d+)/))
            return String(word.1)
        }

        /// With the usual timing: another daemon would wait for half a minute.
        @Test func aRestartedDaemonWorksWithinFiveSeconds() async throws {
            let sandbox = try await sandbox("restart")
            let holder = try startHolder(sandbox, "restart", daemon: "mirror a")
            try await eventually("it has all images") { holder.logTail(lines: 100).matches(of: /acquired/).count == 4 }
            let dead = try instance(holder)
            try await holder.kill()

            let start = ContinuousClock.now
            var configuration = CooperationConfiguration.brisk
            configuration.timing = ElectionTiming()
            let daemon = try await TestDaemon.start(sandbox, pool: "restart", daemon: "mirror a", configuration: configuration)
            await daemon.share.imagesChanged(local: [], remote: Set(Self.images))
            try await eventually("it has all images") { daemon.owner.now.images == Set(Self.images) }
            let took = ContinuousClock.now - start
            print("restarted and at work after \(took)")
            #expect(took < .seconds(5))
            #expect(try await instances(daemon.pool) == [daemon.cooperator.instanceID])
            #expect(try await daemon.pool.exists("rbd_mirror_instance.\(dead)") == false)
            #expect(try await sandbox.ceph("osd", "blocklist", "ls").split(separator: "\n").count >= 1)
            await daemon.stop()
        }

        /// Another daemon of this host is no successor, nor is one fenced that lives.
        @Test func strangersAreNotFenced() async throws {
            let sandbox = try await sandbox("strangers")
            let holder = try startHolder(sandbox, "strangers", daemon: "a")
            try await eventually("it has all images") { holder.logTail(lines: 100).matches(of: /acquired/).count == 4 }
            let instance = try instance(holder)
            let twin = try await TestDaemon.start(sandbox, pool: "strangers", daemon: "a")
            #expect(!twin.cooperator.isLeader)
            #expect(try await instances(twin.pool) == [instance, twin.cooperator.instanceID])
            try await holder.kill()
            let other = try await TestDaemon.start(sandbox, pool: "strangers", daemon: "b")
            #expect(try await instances(other.pool).contains(instance))
            await other.stop()
            await twin.stop()
        }

        /// Whoever had two locks is fenced with the first of them; with the second one the monitors have nothing to do.
        @Test func oneIsFencedOnce() async throws {
            let sandbox = try await sandbox("twice")
            let site = ClusterConfiguration.Source.configurationFile(sandbox.configurationFile.string)
            let (dead, daemon) = (try await Cluster.connect(site), try await Cluster.connect(site))
            let pool = try await daemon.pool("twice")
            let locks = ["first", "second"].map { ObjectLock("rbd_lock", on: $0, in: pool) }
            for lock in locks {
                try await ObjectLock(lock.name, on: lock.object, in: try await dead.pool("twice")).acquire(.exclusive, cookie: "cookie")
            }
            var lists: [String] = []
            for lock in locks {
                let holder = try await lock.info().lockers[0]
                try await pool.fence(holder, lock: lock.name, on: lock.object)
                #expect(try await sandbox.ceph("osd", "blocklist", "ls").contains(holder.address))
                #expect(try await lock.info().lockers.isEmpty)
                lists.append(try await sandbox.ceph("osd", "blocklist", "ls"))
            }
            // A second time it would be until later.
            #expect(lists[0] == lists[1])
            await #expect(throws: CephError.self) { try await dead.pool("twice").write([1], to: "object", at: 0) }
            await dead.shutdown()
            await daemon.shutdown()
        }

        @Test func aKilledFollowerIsFencedAndReplaced() async throws {
            let sandbox = try await sandbox("follower")
            let daemon = try await TestDaemon.start(sandbox, pool: "follower")
            await daemon.share.imagesChanged(local: [], remote: Set(Self.images))
            try await eventually("ours leads") { daemon.cooperator.isLeader }
            let holder = try startHolder(sandbox, "follower", daemon: "b", interval: 1)
            try await eventually("they share") { daemon.owner.now.images.count == 2 }
            let dead = try instance(holder)
            let address = try await daemon.pool.lockInfo(of: "rbd_mirror_instance.\(dead)", name: "rbd_lock").lockers[0].address
            try await holder.kill()
            try await eventually("ours has all") { daemon.owner.now.images.count == 4 }
            #expect(try await sandbox.ceph("osd", "blocklist", "ls").contains(address))
            await daemon.stop()
        }

        @Test func aFrozenLeaderIsSucceededAndFindsItselfFenced() async throws {
            let sandbox = try await sandbox("frozen")
            let holder = try startHolder(sandbox, "frozen", daemon: "a", interval: 1)
            try await eventually("it has all images") { holder.logTail(lines: 100).matches(of: /acquired/).count == 4 }
            let daemon = try await TestDaemon.start(sandbox, pool: "frozen", daemon: "b")
            await daemon.share.imagesChanged(local: [], remote: Set(Self.images))
            try await eventually("they share") { daemon.owner.now.images.count == 2 }
            try await holder.freeze()
            try await eventually("ours leads") { daemon.cooperator.isLeader }
            try await eventually("ours has all") { daemon.owner.now.images.count == 4 }
            try await holder.thaw()
            try await eventually("it finds itself fenced") { holder.logTail(lines: 100).contains("lost") }
            try await holder.kill()
            await daemon.stop()
        }

        /// A new client of the same process need not wait for the death of the one it gave up.
        @Test func anotherClientOfThisProcessFollowsAtOnce() async throws {
            let sandbox = try await sandbox("again")
            var configuration = CooperationConfiguration.brisk
            configuration.timing = ElectionTiming()
            let first = try await TestDaemon.start(sandbox, pool: "again", daemon: "a", configuration: configuration)
            try await eventually("it leads") { first.cooperator.isLeader }
            first.owner.holdsReleases = true
            await first.share.imagesChanged(local: [], remote: ["x"])
            try await eventually("it has the image") { first.owner.now.images == ["x"] }
            await first.cooperator.stop(within: .seconds(1))
            #expect(try await instances(first.pool) == [first.cooperator.instanceID])

            let start = ContinuousClock.now
            let second = try await TestDaemon.start(sandbox, pool: "again", daemon: "a", configuration: configuration)
            try await eventually("the next leads") { second.cooperator.isLeader }
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await instances(second.pool) == [second.cooperator.instanceID])
            first.owner.holdsReleases = false
            await first.cluster.shutdown()
            await second.stop()
        }
    }
}
