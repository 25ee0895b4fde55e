internal import Glibc
internal import Synchronization

/// A wait for the end of something in C that may be given up: what C does goes on.
///
/// It ends once: by ``finish(_:)`` or by its deadline. Whatever ends after it was abandoned is handed to `tooLate`,
/// so that nothing it made is lost.
final class AbandonableWait: Sendable {
    private enum State {
        case idle, waiting(UnsafeContinuation<Int?, Never>), finished, abandoned
    }

    private let state = Locked(State.idle)
    private let marks = Atomic<UInt64>(0)
    private let tooLate: @Sendable (Int) -> Void

    init(tooLate: @escaping @Sendable (Int) -> Void = { _ in }) { self.tooLate = tooLate }

    /// Starts something that ends with ``finish(_:)`` and awaits it.
    ///
    /// - Parameters:
    ///   - deadline: The longest time without an end or a ``mark()``; nil waits for ever.
    ///   - yieldsToCancellation: Whether the end of the task abandons the wait too.
    /// - Returns: What it ended with, nil when it was abandoned.
    func run(within deadline: Duration?, yieldsToCancellation: Bool = false, _ start: () -> Void) async -> Int? {
        var timer: Task<Void, any Error>?
        defer { timer?.cancel() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                state.withLock { $0 = .waiting(waiter) }
                timer = deadline.map { deadline in Task.detached { try await self.watchOver(deadline) } }
                start()
                if yieldsToCancellation && Task.isCancelled { abandon() }
            }
        } onCancel: {
            if yieldsToCancellation { abandon() }
        }
    }

    private func watchOver(_ deadline: Duration) async throws {
        var seen = marks.load(ordering: .relaxed)
        while true {
            try await Task.sleep(for: deadline)
            let now = marks.load(ordering: .relaxed)
            if now == seen { return abandon() }
            seen = now
        }
    }

    /// Shows that there is progress: the deadline begins anew.
    func mark() { marks.wrappingAdd(1, ordering: .relaxed) }

    /// Ends the wait with a value.
    func finish(_ value: Int) {
        let previous = state.withLock { state in
            defer { state = .finished }
            return state
        }
        switch previous {
        case .waiting(let waiter): waiter.resume(returning: value)
        case .abandoned: tooLate(value)
        case .idle, .finished: break
        }
    }

    private func abandon() {
        let waiter: UnsafeContinuation<Int?, Never>? = state.withLock { state in
            guard case .waiting(let waiter) = state else { return nil }
            state = .abandoned
            return waiter
        }
        waiter?.resume(returning: nil)
    }
}
