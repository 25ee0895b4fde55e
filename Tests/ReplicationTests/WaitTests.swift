import Replication
import Testing

@Suite(.timeLimit(.minutes(1))) struct WakeSignalTests {
    @Test func aSignalBeforeTheWaitIsKeptOnce() async throws {
        let bell = WakeSignal()
        bell.signal()
        bell.signal()
        #expect(try await bell.wait() == .signalled)
        #expect(try await bell.wait(for: .milliseconds(5)) == .timedOut)
    }

    @Test func wakesAWaiter() async throws {
        let bell = WakeSignal()
        let waiter = Task { try await bell.wait(for: .seconds(30)) }
        await Task.yield()
        bell.signal()
        #expect(try await waiter.value == .signalled)
    }

    @Test func cancellationEndsBothKindsOfWait() async {
        let bell = WakeSignal()
        for wait in [{ try await bell.wait() }, { try await bell.wait(for: .seconds(60)) }]
            as [@Sendable () async throws -> WakeSignal.Wake] {
            let waiter = Task { try await wait() }
            await Task.yield()
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
        }
        bell.signal()
        #expect(bell.takePending())
    }

    @Test func noSignalIsLostBetweenWaits() async throws {
        let bell = WakeSignal()
        let produced = Shared(0)
        let total = 3000
        let producer = Task.detached {
            for _ in 0..<total {
                produced.update { $0 += 1 }
                bell.signal()
                if Bool.random() { await Task.yield() }
            }
        }
        var seen = 0
        while seen < total {
            // Each wait is bounded: a lost signal would show as a timeout with work left.
            let wake = try await bell.wait(for: .seconds(20))
            let now = produced.value
            try #require(wake == .signalled || now == seen, "a signal was lost")
            seen = now
        }
        await producer.value
    }
}

@Suite(.timeLimit(.minutes(1))) struct DeadlineTests {
    private struct Broken: Error {}

    @Test func handsTheResultOn() async throws {
        #expect(try await withDeadline(.seconds(30)) { 7 } == 7)
        await #expect(throws: Broken.self) { try await withDeadline(.seconds(30)) { throw Broken() } }
    }

    @Test func abandonsWorkThatIgnoresCancellation() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let finished = Shared(false)
        let start = ContinuousClock.now
        await #expect(throws: DeadlineExceeded(operation: "mount", limit: .milliseconds(20))) {
            try await withDeadline(.milliseconds(20), for: "mount") {
                // A detached task does not hear of the cancellation, as a blocked C call does not.
                await Task.detached { for await _ in gate { break } }.value
                finished.update { $0 = true }
            }
        }
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(!finished.value)
        opener.yield()
        try await eventually { finished.value }
    }

    @Test func cancellationEndsTheWait() async {
        let task = Task { try await withDeadline(.seconds(60)) { try await Task.sleep(for: .seconds(60)) } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
