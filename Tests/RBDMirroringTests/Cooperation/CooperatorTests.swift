import CephCore
import CephSandbox
import RBDImage
import RBDMirroring
import Testing

extension CooperationTests {
    /// Our daemons among themselves.
    @Suite(.serialized) struct CooperatorTests {
        private static let images = Set((0..<8).map { "00000000-0000-4000-8000-00000000000\($0)" })

        private func sandbox(_ pool: String) async throws -> SandboxCluster {
            let cluster = try await SandboxCluster.shared(SandboxConfiguration(manager: false))
            try await cluster.createPool(pool)
            return cluster
        }

        private func waitForLeader(_ daemon: TestDaemon) async throws {
            try await eventually("\(daemon.cooperator.instanceID) leads") { daemon.cooperator.isLeader }
        }

        /// Two daemons, the first leading, that have half of the images each.
        private func pair(_ sandbox: SandboxCluster, _ pool: String) async throws -> (TestDaemon, TestDaemon) {
            let first = try await TestDaemon.start(sandbox, pool: pool, daemon: "first")
            try await waitForLeader(first)
            let second = try await TestDaemon.start(sandbox, pool: pool, daemon: "second")
            for daemon in [first, second] { await daemon.share.imagesChanged(local: [], remote: Self.images) }
            try await eventually("they share the images") {
                first.owner.now.images.count == 4 && second.owner.now.images.count == 4
                    && first.owner.now.images.union(second.owner.now.images) == Self.images
            }
            return (first, second)
        }

        @Test func aloneItLeadsAndServesEverything() async throws {
            let daemon = try await TestDaemon.start(try await sandbox("alone"), pool: "alone")
            let pool = daemon.pool
            try await waitForLeader(daemon)
            await daemon.share.imagesChanged(local: [], remote: Self.images)
            try await eventually("it has all images") { daemon.owner.now.images == Self.images }
            #expect(try await imageMap(pool) == Dictionary(uniqueKeysWithValues: Self.images.map { ($0, daemon.cooperator.instanceID) }))
            #expect(try await instances(pool) == [daemon.cooperator.instanceID])

            let left = Set(Self.images.sorted()[0...1])
            await daemon.share.imagesChanged(local: [left.min()!], remote: [left.max()!])
            try await eventually("the others are dropped") { daemon.owner.now.images == left }
            try await eventually("the map follows") { Set(try await imageMap(pool).keys) == left }

            await daemon.cooperator.stop()
            #expect(daemon.owner.now.images == [])
            #expect(try await instances(pool) == [])
            #expect(try await pool.exists("rbd_mirror_instance.\(daemon.cooperator.instanceID)") == false)
            #expect(try await imageMap(pool).count == 2, "left for the next leader")
            await daemon.cluster.shutdown()
        }

        @Test func twoShareAndHandOverInGoodOrder() async throws {
            let (first, second) = try await pair(try await sandbox("two"), "two")
            #expect(try await imageMap(first.pool).values.count { $0 == second.cooperator.instanceID } == 4)

            // Without the daemon's shutdown notice and registration this takes six seconds, with stock's timing thirty.
            let start = ContinuousClock.now
            await first.stop()
            #expect(first.owner.now.images == [] && first.owner.now.loss == nil)
            try await waitForLeader(second)
            try await eventually("the other has all") { second.owner.now.images == Self.images }
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await instances(second.pool) == [second.cooperator.instanceID])
            await second.stop()
        }

        @Test func aFollowerThatLeavesIsRelievedAtOnce() async throws {
            let (first, second) = try await pair(try await sandbox("leaves"), "leaves")
            await second.stop()
            let start = ContinuousClock.now
            try await eventually("the leader has all") { first.owner.now.images == Self.images }
            #expect(ContinuousClock.now - start < .seconds(4))
            #expect(try await instances(first.pool) == [first.cooperator.instanceID])
            await first.stop()
        }

        @Test func aFencedLeaderStopsAndIsSucceeded() async throws {
            let sandbox = try await sandbox("fenced")
            let (first, second) = try await pair(sandbox, "fenced")
            let lock = try await first.pool.lockInfo(of: "rbd_mirror_leader", name: "rbd_lock")
            try await sandbox.ceph("osd", "blocklist", "add", lock.lockers[0].address)
            try await eventually("it notices") { first.owner.now.loss == .blocklisted }
            #expect(first.owner.now.images == [] && !first.cooperator.isLeader)
            try await waitForLeader(second)
            try await eventually("the other has all") { second.owner.now.images == Self.images }
            #expect(try await instances(second.pool) == [second.cooperator.instanceID])
            let start = ContinuousClock.now
            await first.cooperator.stop()
            #expect(ContinuousClock.now - start < .seconds(4))
            await first.cluster.shutdown()
            await second.stop()
        }

        @Test func aFencedFollowerStops() async throws {
            let sandbox = try await sandbox("fencedfollower")
            let (first, second) = try await pair(sandbox, "fencedfollower")
            let lock = try await first.pool.lockInfo(of: "rbd_mirror_instance.\(second.cooperator.instanceID)", name: "rbd_lock")
            try await sandbox.ceph("osd", "blocklist", "add", lock.lockers[0].address)
            try await eventually("it notices") { second.owner.now.loss != nil }
            try await eventually("the leader has all") { first.owner.now.images == Self.images }
            await second.stop()
            await first.stop()
        }

        /// What cannot be stopped may still write: its daemon keeps its lock until it is fenced.
        @Test func aStuckImageIsNotGivenAwayUnfenced() async throws {
            let (first, second) = try await pair(try await sandbox("stuck"), "stuck")
            second.owner.holdsReleases = true
            let start = ContinuousClock.now
            await second.cooperator.stop(within: .seconds(2))
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await instances(first.pool).contains(second.cooperator.instanceID))
            let mailbox = "rbd_mirror_instance.\(second.cooperator.instanceID)"
            let address = try await first.pool.lockInfo(of: mailbox, name: "rbd_lock").lockers[0].address
            try await eventually("the leader has all") { first.owner.now.images == Self.images }
            let blocklist = try await sandbox("stuck2").ceph("osd", "blocklist", "ls")
            #expect(blocklist.contains(address))
            #expect(try await first.pool.exists(mailbox) == false)
            second.owner.holdsReleases = false
            await second.cluster.shutdown()
            await first.stop()
        }

        @Test func theHolderHearsOfAnImageThePeerRemoved() async throws {
            let (first, second) = try await pair(try await sandbox("removed"), "removed")
            let image = second.owner.now.images.min()!
            // Both are told, and the leader passes it on.
            for daemon in [first, second] { await daemon.share.peerImageRemoved(globalID: image, mirrorUUID: "remote") }
            try await eventually("its holder knows") { second.owner.now.peerRemoved == ["\(image) remote"] }
            #expect(first.owner.now.peerRemoved == [])
            await second.stop()
            await first.stop()
        }

        @Test func aMereWatcherAndRubbishDoNoHarm() async throws {
            let sandbox = try await sandbox("watcher")
            let daemon = try await TestDaemon.start(sandbox, pool: "watcher")
            try await waitForLeader(daemon)
            let observer = try await Cluster.connect(.configurationFile(sandbox.configurationFile.string))
            let pool = try await observer.pool("watcher")
            let watch = try await pool.watch("rbd_mirror_leader")
            let mailbox = "rbd_mirror_instance.\(daemon.cooperator.instanceID)"
            for rubbish in [[], [1], [2, 2, 255, 255, 255, 255, 0], [UInt8](repeating: 0xff, count: 100)] as [[UInt8]] {
                for object in ["rbd_mirror_leader", mailbox] {
                    let outcome = try await pool.notify(object, rubbish)
                    #expect(outcome.silent.isEmpty)
                }
            }
            let unknown = InstanceRequest(id: 9, body: .unknown(77))
            let replies = try await pool.notify(mailbox, unknown.encoded).replies
            #expect(try InstanceReply(encoded: replies[0].payload) == InstanceReply(requester: "\(observer.globalID)", requestID: 9, result: -95))

            await daemon.share.imagesChanged(local: Self.images, remote: Self.images)
            var beats = 0
            for await event in watch.events {
                if case .notified = event.kind { beats += 1 }
                if beats == 3 { break }
            }
            try await eventually("it has all images") { daemon.owner.now.images == Self.images }
            await watch.cancel()
            await observer.shutdown()
            await daemon.stop()
        }

        @Test func namespacesAreSharedToo() async throws {
            let sandbox = try await sandbox("spaces")
            try await sandbox.rbd("namespace", "create", "spaces/ns")
            let (first, second) = try await pair(sandbox, "spaces")
            let owners = [RecordingOwner(), RecordingOwner()]
            for (daemon, owner) in zip([first, second], owners) {
                let share = try await daemon.cooperator.join("ns", owner)
                await share.imagesChanged(local: [], remote: ["a", "b"])
            }
            try await eventually("both have one") { owners.allSatisfy { $0.now.images.count == 1 } }
            let view = try second.pool.inNamespace("ns")
            #expect(Set(try await imageMap(view).keys) == ["a", "b"])
            #expect(try await instances(view) == [first.cooperator.instanceID, second.cooperator.instanceID])
            #expect(await first.cooperator.leave("ns"))
            #expect(owners[0].now.images == [])
            #expect(try await instances(view) == [second.cooperator.instanceID])
            await first.stop()
            try await eventually("the other has all") { owners[1].now.images == ["a", "b"] }
            await second.cooperator.stop()
            #expect(try await instances(view) == [])
            await second.cluster.shutdown()
        }
    }
}
