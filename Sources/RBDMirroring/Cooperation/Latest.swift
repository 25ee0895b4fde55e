internal import Synchronization

/// A value that others wait for to change.
final class Latest<Value: Hashable & Sendable>: Sendable {
    private struct State {
        var value: Value
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value {
        get { state.withLock(\.value) }
        set {
            let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                guard state.value != newValue else { return [] }
                state.value = newValue
                defer { state.waiters = [:] }
                return Array(state.waiters.values)
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    /// Returns when the value is another one, or the task is cancelled.
    func change(from old: Value) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.value == old, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
