internal import Glibc

/// Counts the C calls in flight on a handle, so that the handle ends after the last of them and never under one.
final class CallGate: Sendable {
    private struct State {
        var inFlight = 0
        var isClosed = false
        var end: (@Sendable () -> Void)?
        var hasEnded = false
        var followers: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    /// Announces a call; false when the handle is closed and must not be used.
    func enter() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.inFlight += 1
            return true
        }
    }

    /// Says that an announced call has ended in C.
    func leave() {
        let end: (@Sendable () -> Void)? = state.withLock { state in
            state.inFlight -= 1
            guard state.inFlight == 0 else { return nil }
            defer { state.end = nil }
            return state.end
        }
        end?()
    }

    /// Refuses further calls and runs `end` once none is in flight; it must not block, for it may run on Ceph's thread.
    ///
    /// - Returns: False when the gate was closed before; `end` is not run then.
    @discardableResult
    func close(_ end: @escaping @Sendable () -> Void) -> Bool {
        let (isFirst, isDrained) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.isClosed = true
            if state.inFlight > 0 { state.end = end }
            return (true, state.inFlight == 0)
        }
        if isDrained { end() }
        return isFirst
    }

    /// Says that the handle has ended: C calls nobody back any more.
    func ended() {
        let followers = state.withLock { state in
            defer { state.followers = [] }
            state.hasEnded = true
            return state.followers
        }
        for follower in followers { follower() }
    }

    /// Runs `body` once the handle has ended.
    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if !state.hasEnded { state.followers.append(body) }
            return state.hasEnded
        }
        if isOver { body() }
    }

    /// Announces a call or throws.
    func enter(_ operation: String, on subject: @autoclosure () -> String) throws(CephError) {
        guard enter() else { throw CephError(code: ENOTCONN, operation: "\(operation) after close", subject: subject()) }
    }
}
