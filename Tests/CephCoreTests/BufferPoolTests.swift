import CephCore
import CephSandbox
import Testing

@Suite(.timeLimit(.minutes(5))) struct BufferPoolTests {
    @Test func lendsPageAlignedMemoryOfWholePages() async throws {
        let pool = BufferPool(budget: 1 << 20)
        let buffer = try await pool.lend(5000)
        #expect(buffer.capacity == 8192)
        #expect(buffer.withBytes { Int(bitPattern: $0.baseAddress) % 4096 } == 0)
        #expect(pool.bytesInUse == 8192)
    }

    @Test func keepsToItsBudget() async throws {
        let pool = BufferPool(budget: 64 << 10)
        let most = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let buffer = try await pool.lend(4096 * (1 + number % 8))
                    _ = buffer.withBytes { $0.initializeMemory(as: UInt8.self, repeating: UInt8(number)) }
                    if pool.bytesInUse > 64 << 10 { most.add() }
                    await Task.yield()
                    #expect(buffer.withBytes { $0.allSatisfy { $0 == UInt8(number) } })
                }
            }
            try await group.waitForAll()
        }
        #expect(most.value == 0)
        #expect(pool.bytesInUse == 0)
    }

    @Test func servesInOrder() async throws {
        let pool = BufferPool(budget: 16 << 10)
        let order = Order()
        let first = try await pool.lend(12 << 10)
        // The large one waits, and the small one that would fit does not pass it.
        let large = Task {
            let buffer = try await pool.lend(16 << 10)
            await order.add("large")
            _ = consume buffer
        }
        try await waitUntil("the large one waits", every: .milliseconds(1)) { pool.waiting == 1 }
        let small = Task {
            let buffer = try await pool.lend(4 << 10)
            await order.add("small")
            _ = consume buffer
        }
        try await waitUntil("both wait", every: .milliseconds(1)) { pool.waiting == 2 }
        #expect(await order.names.isEmpty)
        _ = consume first
        try await large.value
        try await small.value
        #expect(await order.names == ["large", "small"])
    }

    @Test func aCancelledWaiterMakesWay() async throws {
        let pool = BufferPool(budget: 16 << 10)
        let held = try await pool.lend(12 << 10)
        let large = Task { _ = try await pool.lend(16 << 10) }
        try await waitUntil("the large one waits", every: .milliseconds(1)) { pool.waiting == 1 }
        let small = Task { _ = try await pool.lend(4 << 10) }
        try await waitUntil("both wait", every: .milliseconds(1)) { pool.waiting == 2 }
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        try await small.value
        #expect(pool.bytesInUse == 12 << 10)
        _ = consume held
        #expect(pool.bytesInUse == 0)
    }

    @Test func aCancelledTaskGetsNothing() async throws {
        let pool = BufferPool(budget: 1 << 20)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await pool.lend(4096)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(pool.bytesInUse == 0)
    }

    @Test func cancellationRacesWithService() async throws {
        let pool = BufferPool(budget: 8 << 10)
        for _ in 0..<500 {
            let tasks = (0..<6).map { _ in
                Task {
                    let buffer = try await pool.lend(8 << 10)
                    _ = consume buffer
                }
            }
            tasks[3].cancel()
            tasks[1].cancel()
            for task in tasks { _ = await task.result }
            #expect(pool.bytesInUse == 0 && pool.waiting == 0)
        }
    }

    @Test func moreThanTheBudgetIsServedAlone() async throws {
        let pool = BufferPool(budget: 8 << 10)
        let large = try await pool.lend(1 << 20)
        #expect(large.capacity == 1 << 20 && pool.bytesInUse == 8 << 10)
        let waiting = Task { _ = try await pool.lend(1) }
        try await waitUntil("the other waits", every: .milliseconds(1)) { pool.waiting == 1 }
        _ = consume large
        try await waiting.value
        #expect(pool.bytesInUse == 0)
    }

    @Test func reservationsCount() async throws {
        let pool = BufferPool(budget: 8 << 10)
        let reservation = try await pool.reserve(8000)
        #expect(pool.bytesInUse == 8000)
        let waiting = Task { _ = try await pool.lend(4096) }
        try await waitUntil("the other waits", every: .milliseconds(1)) { pool.waiting == 1 }
        reservation.release()
        try await waiting.value
        #expect(pool.bytesInUse == 0)
    }
}

private actor Order {
    private(set) var names: [String] = []
    func add(_ name: String) { names.append(name) }
}
