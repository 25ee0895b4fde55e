internal import Synchronization

/// A bell: rung from anywhere, heard once however often it was rung.
///
/// ``signal()`` is synchronous and short, so it may be called from a C callback. A signal that
/// nobody waits for is kept for the next wait. With several waiters all are woken.
public final class WakeSignal: Sendable {
    /// Why a wait ended.
    public enum Wake: Hashable, Sendable { case signalled, timedOut }

    private struct State {
        var pending = false
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// Wakes the waiters, or the next one to come.
    public func signal() {
        let waiters = state.withLock { state in
            if state.waiters.isEmpty { state.pending = true }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    /// Waits for a signal, or until a moment; for ever without one.
    public func wait(until deadline: ContinuousClock.Instant? = nil) async throws(CancellationError) -> Wake {
        if takePending() { return .signalled }
        if Task.isCancelled { throw CancellationError() }
        guard let deadline else {
            guard await waitForSignal() else { throw CancellationError() }
            return .signalled
        }
        let woken = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.waitForSignal() }
            group.addTask {
                try? await ContinuousClock().sleep(until: deadline)
                return false
            }
            var woken = await group.next() ?? false
            group.cancelAll()
            // A signal that came while the timer fired must not get lost with its waiter.
            while let late = await group.next() { woken = woken || late }
            return woken
        }
        if woken { return .signalled }
        if Task.isCancelled { throw CancellationError() }
        return .timedOut
    }

    /// Waits for a signal, at most so long.
    public func wait(for timeout: Duration) async throws(CancellationError) -> Wake {
        try await wait(until: .now + timeout)
    }

    /// Takes a kept signal, if there is one.
    public func takePending() -> Bool {
        state.withLock { state in
            defer { state.pending = false }
            return state.pending
        }
    }

    private func waitForSignal() async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.pending {
                        state.pending = false
                        return true
                    }
                    if Task.isCancelled { return false }
                    state.waiters[id] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(returning: false)
        }
    }
}
