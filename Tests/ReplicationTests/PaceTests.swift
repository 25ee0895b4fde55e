import Replication
import Testing

struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite struct BackoffTests {
    @Test func growsToTheLongestAndStaysThere() {
        var backoff = Backoff(first: .seconds(1), longest: .seconds(10), factor: 2, jitter: 0)
        var generator = Seeded(state: 1)
        let pauses = (0..<6).map { _ in backoff.next(using: &generator) }
        #expect(pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(10), .seconds(10)])
        backoff.reset()
        #expect(backoff.next(using: &generator) == .seconds(1))
        #expect(backoff.attempts == 1)
    }

    @Test func jitterStaysWithinItsPartAndVaries() {
        var backoff = Backoff(first: .seconds(8), longest: .seconds(8), jitter: 0.25)
        var generator = Seeded(state: 7)
        let pauses = (0..<200).map { _ in backoff.next(using: &generator) }
        #expect(pauses.allSatisfy { $0 >= .seconds(6) && $0 <= .seconds(8) })
        #expect(Set(pauses).count > 100)
    }

    @Test func manyFailuresDoNotOverflow() {
        var backoff = Backoff(first: .milliseconds(1), longest: .seconds(86_400 * 365), factor: 10, jitter: 0)
        for _ in 0..<1000 { _ = backoff.next() }
        #expect(backoff.ceiling == .seconds(86_400 * 365))
    }
}

@Suite struct RateTests {
    @Test func meanOverTheTimeSinceTheFirstByte() {
        var meter = RateMeter()
        #expect(meter.bytesPerSecond(at: .seconds(5)) == 0)
        meter.add(1000, at: .seconds(100))
        #expect(meter.bytesPerSecond(at: .seconds(100)) == 1000)
        #expect(meter.bytesPerSecond(at: .seconds(109)) == 100)
        meter.add(1000, at: .milliseconds(109_500))
        #expect(meter.bytesPerSecond(at: .milliseconds(109_900)) == 200)
    }

    @Test func forgetsAfterThirtySeconds() {
        var meter = RateMeter()
        for second in 0..<100 { meter.add(300, at: .seconds(second)) }
        #expect(meter.bytesPerSecond(at: .seconds(99)) == 300)
        #expect(meter.bytesPerSecond(at: .seconds(114)) == 150)
        #expect(meter.bytesPerSecond(at: .seconds(129)) == 0)
    }

    @Test func aClockThatStepsBackIsHarmless() {
        var meter = RateMeter()
        meter.add(10, at: .seconds(50))
        meter.add(20, at: .seconds(40))
        #expect(meter.bytesPerSecond(at: .seconds(50)) == 30)
    }

    @Test func rollingMeanForgetsTheOldest() {
        var mean = RollingMean(window: 2)
        #expect(mean.mean == 0)
        mean.add(10)
        #expect(mean.mean == 10)
        mean.add(20)
        mean.add(30)
        #expect(mean.mean == 25)
        #expect(mean.count == 2)
    }
}

@Suite(.timeLimit(.minutes(1))) struct ThrottleTests {
    @Test func neverMoreThanTheLimit() async throws {
        let throttle = Throttle(limit: 3)
        let running = Shared((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await throttle.withPermit {
                        running.update { $0.now += 1; $0.most = max($0.most, $0.now) }
                        for _ in 0..<20 { await Task.yield() }
                        running.update { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.value.most == 3)
        #expect(throttle.inUse == 0)
    }

    @Test func firstComeFirstServed() async throws {
        let throttle = Throttle(limit: 1)
        try await throttle.acquire()
        let order = Shared<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<10 {
            tasks.append(Task { try await throttle.acquire(); order.update { $0.append(number) }; throttle.release() })
            try await eventually { throttle.waiting == number + 1 }
        }
        #expect(!throttle.tryAcquire())
        throttle.release()
        for task in tasks { try await task.value }
        #expect(order.value == Array(0..<10))
        #expect(throttle.tryAcquire())
        throttle.release()
    }

    @Test func aCancelledWaiterHoldsNothing() async throws {
        let throttle = Throttle(limit: 1)
        try await throttle.acquire()
        let waiter = Task { try await throttle.acquire() }
        try await eventually { throttle.waiting == 1 }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(throttle.waiting == 0)
        throttle.release()
        #expect(throttle.inUse == 0)
    }

    @Test func theLimitMayChange() async throws {
        let throttle = Throttle(limit: 0)
        let tasks = (0..<3).map { _ in Task { try await throttle.acquire() } }
        try await eventually { throttle.waiting == 3 }
        throttle.limit = 2
        try await eventually { throttle.inUse == 2 }
        #expect(throttle.waiting == 1)
        throttle.limit = 1
        throttle.release()
        #expect(throttle.waiting == 1)
        throttle.release()
        for task in tasks { try await task.value }
        #expect(throttle.inUse == 1)
    }

    @Test func cancellationsAndReleasesInParallelKeepTheCount() async throws {
        let throttle = Throttle(limit: 2)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task { try await throttle.withPermit { await Task.yield() } }
                    if number % 3 == 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(throttle.inUse == 0)
        #expect(throttle.waiting == 0)
    }
}
