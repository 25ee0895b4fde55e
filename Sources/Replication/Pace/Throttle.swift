internal import DequeModule
internal import Synchronization

/// So many at once, first come first served.
///
/// The limit may change at any time: a larger one lets waiters in at once, a smaller one takes
/// effect as permits come back. A waiter that is cancelled leaves the queue and holds nothing.
public final class Throttle: Sendable {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var limit: Int
        var inUse = 0
        var nextID = 0
        var waiters: Deque<Waiter> = []

        mutating func admit() -> [CheckedContinuation<Bool, Never>] {
            var admitted: [CheckedContinuation<Bool, Never>] = []
            while inUse < limit, let waiter = waiters.popFirst() {
                inUse += 1
                admitted.append(waiter.continuation)
            }
            return admitted
        }
    }

    private let state: Mutex<State>

    /// - Parameter limit: Permits at once; 0 holds everybody back.
    public init(limit: Int) {
        precondition(limit >= 0)
        state = Mutex(State(limit: limit))
    }

    /// Permits at once.
    public var limit: Int {
        get { state.withLock { $0.limit } }
        set {
            precondition(newValue >= 0)
            resume { $0.limit = newValue }
        }
    }

    public var inUse: Int { state.withLock { $0.inUse } }
    /// Requests in line.
    public var waiting: Int { state.withLock { $0.waiters.count } }

    /// Waits for a permit; each must be given back with ``release()``.
    public func acquire() async throws(CancellationError) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let granted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if state.inUse < state.limit, state.waiters.isEmpty {
                        state.inUse += 1
                        return true
                    }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(returning: false)
        }
        guard granted else { throw CancellationError() }
    }

    /// Takes a permit if one is free and nobody waits.
    public func tryAcquire() -> Bool {
        state.withLock { state in
            guard state.inUse < state.limit, state.waiters.isEmpty else { return false }
            state.inUse += 1
            return true
        }
    }

    /// Gives a permit back.
    public func release() {
        resume { state in
            precondition(state.inUse > 0, "released more permits than were acquired")
            state.inUse -= 1
        }
    }

    /// Runs the body with a permit.
    public func withPermit<R, E: Error>(_ body: () async throws(E) -> R) async throws -> R {
        try await acquire()
        defer { release() }
        return try await body()
    }

    private func resume(after change: (inout State) -> Void) {
        let admitted = state.withLock { state in
            change(&state)
            return state.admit()
        }
        for continuation in admitted { continuation.resume(returning: true) }
    }
}
