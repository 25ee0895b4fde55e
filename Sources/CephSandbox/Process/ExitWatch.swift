internal import Glibc
internal import Foundation
internal import Synchronization

/// Reaps one child process and tells those who wait for its end.
///
/// A thread of its own waits for the child. Signals are sent under the lock that guards the reaping, so none can
/// reach a stranger that was given the same process id.
final class ExitWatch: Sendable {
    private struct State {
        var exit: SandboxExit?
        var isReaped = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var spent: Set<Int> = []
        var nextTicket = 0
    }

    let pid: pid_t
    private let state = Mutex(State())

    init(pid: pid_t) {
        self.pid = pid
        let thread = Thread { self.reap() }
        thread.stackSize = 1 << 17
        thread.name = "reap \(pid)"
        thread.start()
    }

    var exit: SandboxExit? { state.withLock { $0.exit } }

    /// Sends a signal; returns false if the process has ended.
    func send(_ signal: Int32, toGroup: Bool = false) -> Bool {
        state.withLock { !$0.isReaped && kill(toGroup ? -pid : pid, signal) == 0 }
    }

    /// Waits for the end; returns `nil` when the time is over or the task is cancelled.
    func wait(atMost limit: Duration) async -> SandboxExit? {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let alarm = Task {
            try await Task.sleep(for: limit)
            release(ticket)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { park($0, ticket) }
        } onCancel: {
            release(ticket)
        }
        alarm.cancel()
        return state.withLock { state in
            state.spent.remove(ticket)
            return state.exit
        }
    }

    private func park(_ continuation: CheckedContinuation<Void, Never>, _ ticket: Int) {
        let isOver = state.withLock { state in
            if state.exit != nil || state.spent.contains(ticket) { return true }
            state.waiters[ticket] = continuation
            return false
        }
        if isOver { continuation.resume() }
    }

    private func release(_ ticket: Int) {
        let waiter = state.withLock { state in
            let waiter = state.waiters.removeValue(forKey: ticket)
            if waiter == nil { state.spent.insert(ticket) }
            return waiter
        }
        waiter?.resume()
    }

    private func reap() {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        let waiters = state.withLock { state in
            var status: Int32 = 0
            let isKnown = waitpid(pid, &status, 0) == pid
            state.isReaped = true
            state.exit = isKnown ? SandboxExit(waitStatus: status) : SandboxExit(status: nil, signal: nil)
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }
}

extension SandboxExit {
    /// Takes a status apart as the macros of `wait(2)` do.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? SandboxExit(status: waitStatus >> 8 & 0xff, signal: nil) : SandboxExit(status: nil, signal: signal)
    }
}
