/// Runs a job for many objects, a limited number at a time.
///
/// Progress is the last object of an unbroken run of finished ones: what may be recorded as done.
struct CopyPipeline {
    let width: Int

    /// - Parameters:
    ///   - objects: Object numbers, ascending.
    ///   - outranks: Whether the first failure counts less than one of the jobs that ended after it.
    ///   - finished: Called after each object, in the order they end, with the next contiguous mark.
    /// - Throws: The failure that counts most, when nothing is in flight any more.
    func run<Result: Sendable>(
        _ objects: some Sequence<UInt64>, _ job: @escaping @Sendable (UInt64) async throws -> Result,
        outranks: (_ later: any Error, _ earlier: any Error) -> Bool = { _, earlier in earlier is CancellationError },
        finished: (Result, _ contiguous: UInt64?) async throws -> Void
    ) async throws {
        var waiting = objects.makeIterator()
        var tracker = ContiguousTracker()
        try await withThrowingTaskGroup(of: (UInt64, Result).self) { group in
            func startOne() -> Bool {
                guard let number = waiting.next() else { return false }
                tracker.started(number)
                group.addTask { (number, try await job(number)) }
                return true
            }
            var running = 0
            while running < width, startOne() { running += 1 }
            do {
                while let (number, result) = try await group.next() {
                    try Task.checkCancellation()
                    try await finished(result, tracker.finished(number))
                    _ = startOne()
                }
            } catch {
                group.cancelAll()
                var failure = error
                while let result = await group.nextResult() {
                    if case .failure(let later) = result, outranks(later, failure) { failure = later }
                }
                throw failure
            }
        }
    }
}

/// Finds the last number of the unbroken run of finished ones, in the order they were started.
struct ContiguousTracker {
    private var order: [UInt64] = []
    private var head = 0
    private var done: Set<UInt64> = []
    private var mark: UInt64?

    mutating func started(_ number: UInt64) { order.append(number) }

    /// Returns the new mark; nil before the first object of all is done.
    mutating func finished(_ number: UInt64) -> UInt64? {
        done.insert(number)
        while head < order.count, done.remove(order[head]) != nil {
            mark = order[head]
            head += 1
        }
        if head > 1024 {
            order.removeFirst(head)
            head = 0
        }
        return mark
    }
}
