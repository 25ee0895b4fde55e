import CephCore
import CephSandbox
import Glibc
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct WatchTests {
    private func watched() async throws -> Pool {
        let pool = try await Live.objects()
        try await pool.writeFull([], to: "object")
        return pool
    }

    @Test func theRespondersAnswerReachesTheNotifier() async throws {
        let pool = try await watched()
        let other = try await Live.connect()
        let theirs = try await other.pool("objects").inNamespace(pool.namespace)
        let watch = try await pool.watch("object") { notification in .now(notification.payload.reversed()) }
        let outcome = try await theirs.notify("object", [1, 2, 3])
        #expect(outcome.silent.isEmpty)
        let reply = try #require(outcome.replies.first)
        #expect(outcome.replies.count == 1 && reply.payload == [3, 2, 1])
        #expect(reply.watcher == pool.cluster.globalID)
        #expect(reply.cookie == watch.handle)
        for await event in watch.events {
            guard case .notified(let notification) = event.kind else { continue }
            #expect(notification.payload == [1, 2, 3] && notification.notifier == other.globalID)
            break
        }
        try watch.check()
        await watch.cancel()
        await other.shutdown()
    }

    @Test func nobodyWatching() async throws {
        let pool = try await watched()
        let outcome = try await pool.notify("object", [1])
        #expect(outcome.replies.isEmpty && outcome.silent.isEmpty)
        #expect(await failure { try await pool.notify("none") }?.isNotFound == true)
        let error = await failure { _ = try await pool.watch("none") }
        #expect(error?.isNotFound == true && error?.subject == "\(pool.cluster.name):\(pool.spec)/none")
    }

    @Test func manyWatchersAnswer() async throws {
        let pool = try await watched()
        var watches: [Watch] = []
        for number in 0..<10 { watches.append(try await pool.watch("object") { _ in .now([UInt8(number)]) }) }
        let outcome = try await pool.notify("object")
        #expect(Set(outcome.replies.map(\.payload)) == Set((0..<10).map { [UInt8($0)] }))
        for watch in watches { await watch.cancel() }
        #expect(try await pool.notify("object").replies.isEmpty)
    }

    @Test func anAnswerMayComeLater() async throws {
        let pool = try await watched()
        let watch = try await pool.watch("object") { _ in .later }
        let answering = Task {
            for await event in watch.events {
                guard case .notified(let notification) = event.kind else { continue }
                notification.acknowledge([42])
                return
            }
        }
        let outcome = try await pool.notify("object", timeout: .seconds(20))
        #expect(outcome.replies.map(\.payload) == [[42]])
        await answering.value
        await watch.cancel()
    }

    @Test func aSilentWatcherIsListed() async throws {
        let pool = try await watched()
        let silent = try await pool.watch("object") { _ in .later }
        let answering = try await pool.watch("object") { _ in .now([1]) }
        var outcome: NotifyOutcome?
        let time = try await duration { outcome = try await pool.notify("object", timeout: .milliseconds(500)) }
        #expect(outcome?.replies.map(\.payload) == [[1]])
        #expect(outcome?.silent.map(\.cookie) == [try #require(silent.handle)])
        #expect(outcome?.silent.map(\.watcher) == [pool.cluster.globalID])
        // The shortest time-out Ceph knows is a second; it would be 30 if it were not asked for.
        #expect(time < .seconds(25))
        await silent.cancel()
        await answering.cancel()
    }

    @Test func afterCancelNoCallbackRuns() async throws {
        let pool = try await watched()
        for _ in 0..<20 {
            let cancelled = Atomic(false)
            let late = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                let watch = try await pool.watch("object") { _ in
                    if cancelled.load(ordering: .sequentiallyConsistent) { late.add() }
                    return .now()
                }
                for _ in 0..<8 { group.addTask { try await pool.notify("object", timeout: .seconds(1)) } }
                await watch.cancel()
                cancelled.store(true, ordering: .sequentiallyConsistent)
                #expect(watch.handle == nil)
                #expect(await failure { try watch.check() }?.code == ENOTCONN)
                // The events end, too.
                for await _ in watch.events {}
                await watch.cancel()
                try await group.waitForAll()
            }
            #expect(late.value == 0)
        }
        if Pool.usesNative { #expect(try await pool.watchers(of: "object").isEmpty) }
    }

    @Test func aWatchThatIsLetGoEnds() async throws {
        let pool = try await watched()
        weak var weakly: Held?
        do {
            let held = Held()
            weakly = held
            let watch = try await pool.watch("object") { _ in
                held.touch()
                return .now()
            }
            #expect(try await pool.notify("object").replies.count == 1)
            withExtendedLifetime(watch) {}
        }
        try await waitUntil("nobody answers") { try await pool.notify("object").replies.isEmpty }
        // Nothing in C refers to the responder any more.
        try await waitUntil("the responder is gone") { weakly == nil }
    }

    private final class Held: Sendable {
        func touch() {}
    }

    @Test func aRemovedObjectIsSaidToBeLost() async throws {
        let pool = try await watched()
        let watch = try await pool.watch("object")
        try await pool.remove("object")
        var kinds: [String] = []
        for await event in watch.events {
            switch event.kind {
            case .interrupted: kinds.append("interrupted")
            case .lost(let error):
                kinds.append("lost")
                #expect(error.isNotFound)
            default: kinds.append("other")
            }
        }
        #expect(kinds == ["interrupted", "lost"])
        await watch.cancel()
    }

    @Test func shutdownEndsWhatIsWatched() async throws {
        let cluster = try await Live.connect()
        let pool = try await Live.objects(of: cluster)
        try await pool.writeFull([], to: "object")
        let calls = Counter()
        let watch = try await pool.watch("object") { _ in
            calls.add()
            return .now()
        }
        await cluster.shutdown()
        let ours = try await Live.objects().inNamespace(pool.namespace)
        try await waitUntil("the watch is gone", within: .seconds(60)) { try await ours.notify("object").replies.isEmpty }
        #expect(calls.value == 0)
        await watch.cancel()
        #expect(await failure { try await pool.notify("object") }?.code == ENOTCONN)
    }
}
