import CephCore
import CephSandbox
import RBDImage
import RBDMirroring
import Testing

extension CooperationTests {
    /// The cluster itself fails for a while.
    @Suite(.serialized) struct InterruptionTests {
        private func withDaemons(
            _ pool: String, options: [String: String] = [:], _ body: (SandboxCluster, TestDaemon, TestDaemon) async throws -> Void
        ) async throws {
            let cluster = SandboxConfiguration(objectStore: .blueStore(), manager: false, options: options)
            try await withSandboxCluster("interrupted", cluster) { sandbox in
                try await sandbox.createPool(pool)
                // Patient enough to live through a restart of the OSD.
                var configuration = CooperationConfiguration.brisk
                configuration.timing = ElectionTiming(heartbeatInterval: .seconds(2))
                let first = try await TestDaemon.start(sandbox, pool: pool, daemon: "first", configuration: configuration)
                try await eventually("the first leads") { first.cooperator.isLeader }
                let second = try await TestDaemon.start(sandbox, pool: pool, daemon: "second", configuration: configuration)
                for daemon in [first, second] { await daemon.share.imagesChanged(local: [], remote: ["a", "b"]) }
                try await eventually("they share") { first.owner.now.images.count == 1 && second.owner.now.images.count == 1 }
                try await body(sandbox, first, second)
            }
        }

        /// The cookie of an object's lock, nil unless it names a watch of the lock's holder.
        private func cookie(_ pool: Pool, _ object: String) async throws -> String? {
            guard let holder = try await pool.lockInfo(of: object, name: "rbd_lock").lockers.first else { return nil }
            let watches = try await pool.watchers(of: object).filter { $0.client == holder.client }
            return watches.contains { "auto \($0.cookie)" == holder.cookie } ? holder.cookie : nil
        }

        private func cookies(_ pool: Pool, _ objects: [String]) async throws -> [String] {
            var cookies: [String] = []
            for object in objects { if let cookie = try await cookie(pool, object) { cookies.append(cookie) } }
            return cookies
        }

        /// Both are in their places and have all along been; another daemon finds them there.
        private func checkPlaces(
            _ sandbox: SandboxCluster, _ pool: String, _ first: TestDaemon, _ second: TestDaemon, since before: [RecordingOwner.State]
        ) async throws {
            await first.share.imagesChanged(local: [], remote: ["a", "b", "c", "d"])
            try await eventually("each gets a new image") { [first, second].allSatisfy { $0.owner.now.images.count == 2 } }
            for (daemon, before) in zip([first, second], before) {
                let now = daemon.owner.now
                #expect(now.acquired.count == before.acquired.count + 1 && now.released == before.released && now.loss == nil)
            }
            let third = try await TestDaemon.start(sandbox, pool: pool, daemon: "third")
            try await eventually("it finds the leader") { third.cooperator.leader == first.cooperator.instanceID }
            for daemon in [third, second, first] { await daemon.stop() }
        }

        @Test func aRestartOfTheOSDChangesNothing() async throws {
            try await withDaemons("restart") { sandbox, first, second in
                let before = [first, second].map(\.owner.now)
                try await sandbox.osds[0].restart()
                try await checkPlaces(sandbox, "restart", first, second, since: before)
            }
        }

        /// Locks follow their watches, and nobody loses a place or an image.
        @Test func watchesThatBreakAreMadeAgain() async throws {
            try await withDaemons("watches", options: ["osd_client_watch_timeout": "8"]) { sandbox, first, second in
                let objects = ["rbd_mirror_leader"] + [first, second].map { "rbd_mirror_instance.\($0.cooperator.instanceID)" }
                let cookiesBefore = try await cookies(first.pool, objects)
                #expect(cookiesBefore.count == 3)
                let before = [first, second].map(\.owner.now)
                for daemon in [first, second] { try daemon.cluster.setOption("objecter_inject_no_watch_ping", to: "true") }
                // Not all of them: a new watch may get the handle of an old one.
                try await eventually("locks have new cookies") { try await cookies(first.pool, objects) != cookiesBefore }
                for daemon in [first, second] { try daemon.cluster.setOption("objecter_inject_no_watch_ping", to: "false") }
                try await eventually("all name their watches again") { try await cookies(first.pool, objects).count == 3 }
                try await checkPlaces(sandbox, "watches", first, second, since: before)
            }
        }

        /// A cluster that does not answer holds nobody up.
        @Test func aSilentClusterIsALossOfContact() async throws {
            try await withDaemons("silent") { sandbox, first, second in
                try await sandbox.freeze()
                var start = ContinuousClock.now
                try await eventually("both notice") { first.owner.now.loss == .silence && second.owner.now.loss == .silence }
                #expect(ContinuousClock.now - start > .seconds(6), "twelve seconds after the last heartbeat")
                start = .now
                await first.cooperator.stop()
                await second.cooperator.stop()
                #expect(ContinuousClock.now - start < .seconds(6))
                try await sandbox.thaw()
                let next = try await TestDaemon.start(sandbox, pool: "silent", daemon: "first")
                try await eventually("the next leads at once") { next.cooperator.isLeader }
                for daemon in [first, second] { await daemon.cluster.shutdown() }
                await next.stop()
            }
        }

        @Test func stoppingDoesNotWaitForASilentCluster() async throws {
            try await withDaemons("stopping") { sandbox, first, second in
                try await sandbox.freeze()
                let start = ContinuousClock.now
                await withTaskGroup { group in
                    for daemon in [first, second] { group.addTask { await daemon.cooperator.stop(within: .seconds(4)) } }
                }
                #expect(ContinuousClock.now - start < .seconds(7))
                #expect(first.owner.now.images == [] && second.owner.now.images == [])
                try await sandbox.thaw()
                for daemon in [first, second] { await daemon.cluster.shutdown() }
            }
        }
    }
}
