import CephCore
import CephSandbox
import RBDMirroring
import Synchronization
import Testing

extension CooperationTests {
    /// The leader's limit on syncs, across daemons.
    @Suite(.serialized) struct SyncPermitTests {
        /// Collects permits as they come.
        private final class Permits: Sendable {
            let granted = Mutex<[String: SyncPermit]>([:])
            var count: Int { granted.withLock(\.count) }
            var ids: Set<String> { granted.withLock { Set($0.keys) } }

            func ask(_ daemon: TestDaemon, _ ids: [String]) -> [Task<Void, Never>] {
                ids.map { id in
                    Task {
                        guard let permit = try? await daemon.share.requestSync(id) else { return }
                        self.granted.withLock { $0[id] = permit }
                    }
                }
            }

            func finishOne() -> String? {
                granted.withLock { granted -> (String, SyncPermit)? in
                    guard let id = granted.keys.min() else { return nil }
                    return granted.removeValue(forKey: id).map { (id, $0) }
                }.map {
                    $0.1.finish()
                    return $0.0
                }
            }
        }

        private func start(_ pool: String, limit: Int) async throws -> (TestDaemon, TestDaemon) {
            let sandbox = try await SandboxCluster.shared(SandboxConfiguration(manager: false))
            try await sandbox.createPool(pool)
            var configuration = CooperationConfiguration.brisk
            configuration.concurrentSyncs = limit
            let first = try await TestDaemon.start(sandbox, pool: pool, daemon: "first", configuration: configuration)
            try await eventually("the first leads") { first.cooperator.isLeader }
            let second = try await TestDaemon.start(sandbox, pool: pool, daemon: "second", configuration: configuration)
            return (first, second)
        }

        @Test func soManyAtOnceOverAllDaemons() async throws {
            let (first, second) = try await start("syncs", limit: 2)
            let permits = Permits()
            let tasks = permits.ask(first, ["a1", "a2", "a3"]) + permits.ask(second, ["b1", "b2", "b3"])
            var finished: Set<String> = []
            for _ in 0..<6 {
                try await eventually("another may start") { permits.count == min(2, 6 - finished.count) }
                finished.insert(try #require(permits.finishOne()))
            }
            #expect(finished == ["a1", "a2", "a3", "b1", "b2", "b3"])
            for task in tasks { await task.value }
            await second.stop()
            await first.stop()
        }

        @Test func thoseWhoWaitAskTheNextLeader() async throws {
            let (first, second) = try await start("nextleader", limit: 1)
            let permits = Permits()
            let own = permits.ask(first, ["a"])
            try await eventually("the leader syncs") { permits.count == 1 }
            let waiting = permits.ask(second, ["b1", "b2"])
            await first.stop()
            try await eventually("the new leader grants one") { permits.ids.count == 2 }
            #expect(permits.finishOne() == "a")
            #expect(permits.finishOne()?.hasPrefix("b") == true)
            try await eventually("then the other") { permits.count == 1 }
            _ = permits.finishOne()
            for task in own + waiting { await task.value }
            await second.stop()
        }

        @Test func aDaemonThatIsGoneFreesItsSlots() async throws {
            let (first, second) = try await start("slots", limit: 1)
            let permits = Permits()
            let held = permits.ask(second, ["b"])
            try await eventually("the follower syncs") { permits.count == 1 }
            let waiting = permits.ask(first, ["a"])
            await second.cluster.shutdown()
            try await eventually("the slot is free") { permits.count == 2 }
            for task in held + waiting { await task.value }
            await second.cooperator.stop(within: .seconds(1))
            await first.stop()
        }

        @Test func whoGivesUpHoldsNothing() async throws {
            let (first, second) = try await start("giveup", limit: 1)
            let permits = Permits()
            let held = permits.ask(first, ["a"])
            try await eventually("one syncs") { permits.count == 1 }
            let waiting = permits.ask(first, ["b"]) + permits.ask(second, ["c"])
            for task in waiting {
                task.cancel()
                await task.value
            }
            #expect(permits.ids == ["a"])
            let late = permits.ask(second, ["d"])
            _ = permits.finishOne()
            try await eventually("the next syncs") { permits.ids == ["d"] }
            for task in held + late { await task.value }
            await second.stop()
            await first.stop()
        }
    }
}
