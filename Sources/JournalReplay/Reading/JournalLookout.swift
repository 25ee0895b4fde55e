internal import CephCore
internal import Replication

/// When to look again for entries of a journal that is followed.
final class JournalLookout: Sendable {
    private let polling: JournalPolling
    private let watch: Watch
    private let listener: Task<Void, Never>
    private let headerChanged = WakeSignal()
    private let state = Locked(State())

    private struct State {
        var lastEntry = ContinuousClock.now
        var lastHeader = ContinuousClock.now
        var skipsPause = false
    }

    /// A header that nobody has told of is read again after so long.
    private static let headerAge = Duration.seconds(30)

    /// Before the header is read: nothing is to change unseen.
    init(_ journal: Journal, _ polling: JournalPolling) async throws {
        self.polling = polling
        let (pool, header) = (journal.pool, journal.headerObject)
        // Whoever writes waits for the answer: it is given at once, on Ceph's thread.
        // And one that died is waited for until it is missed, sooner than after the usual 30 s.
        watch = try await yieldingToCancellation { try await pool.watch(header, timeout: .seconds(15)) }
        let (events, bell) = (watch.events, headerChanged)
        listener = Task { for await _ in events { bell.signal() } }
    }

    deinit { listener.cancel() }

    /// An entry was there.
    func saw() { state.withLock { $0.lastEntry = .now } }

    func hasSeen(since moment: ContinuousClock.Instant) -> Bool { state.withLock { $0.lastEntry > moment } }

    /// Makes the next pause none.
    func lookAtOnce() { state.withLock { $0.skipsPause = true } }

    /// Waits until it is time to look again; returns whether the header is to be read too.
    func wait() async throws(CancellationError) -> Bool {
        let (skips, pause) = state.withLock { state in
            defer { state.skipsPause = false }
            return (state.skipsPause, state.lastEntry.duration(to: .now) < polling.lately ? polling.active : polling.idle)
        }
        let isTold = skips ? headerChanged.takePending() : try await headerChanged.wait(for: pause) == .signalled
        return state.withLock { state in
            guard isTold || state.lastHeader.duration(to: .now) > Self.headerAge else { return false }
            state.lastHeader = .now
            return true
        }
    }
}
