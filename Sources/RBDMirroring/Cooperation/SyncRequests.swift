internal import CephCore
internal import Logging

/// A daemon's own syncs: asks the leader for each, and tells it when each has ended.
final class SyncRequests: Sendable {
    private struct State {
        /// Syncs asked for or running, with the number of those who hold them.
        var holds: [String: Int] = [:]
        /// The leader's start messages, answered when the sync has ended.
        var starts: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let leader: Latest<String?>
    private let courier: Courier
    private let retryInterval: Duration
    private let state = Locked(State())

    init(leader: Latest<String?>, courier: Courier, retryInterval: Duration) {
        self.leader = leader
        self.courier = courier
        self.retryInterval = retryInterval
    }

    /// Waits until the leader, whoever that is by then, grants a slot.
    func request(_ id: String) async throws(CancellationError) -> SyncPermit {
        state.withLock { $0.holds[id, default: 0] += 1 }
        let permit = SyncPermit { self.finished(id) }
        while !Task.isCancelled {
            let asked = leader.value
            if let asked, await ask(asked, id) { return permit }
            await pause(asked)
        }
        permit.finish()
        throw CancellationError()
    }

    /// The leader says start; returns when the sync has ended, at once for one that is not known.
    func started(_ id: String) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard state.holds[id] != nil else { return false }
                state.starts[id, default: []].append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    private func finished(_ id: String) {
        let starts = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard let holds = state.holds[id] else { return [] }
            state.holds[id] = holds > 1 ? holds - 1 : nil
            return holds > 1 ? [] : state.starts.removeValue(forKey: id) ?? []
        }
        for start in starts { start.resume() }
    }

    /// Asks one leader for as long as it leads.
    private func ask(_ leader: String, _ id: String) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await self.courier.send(.requestSync(id), to: leader)) == 0 }
            group.addTask {
                await self.leader.change(from: leader)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Waits for another leader, or a moment for the same one.
    private func pause(_ asked: String?) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: self.retryInterval) }
            if asked == nil || asked == leader.value { group.addTask { await self.leader.change(from: asked) } }
            await group.next()
            group.cancelAll()
        }
    }
}

/// The leader's permission to sync one image.
///
/// It counts against the limit of the pool until ``finish()``.
public final class SyncPermit: Sendable {
    private let end: @Sendable () -> Void
    private let isFinished = Locked(false)

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    deinit { finish() }

    /// The sync has ended, well or not; harmless when said twice.
    public func finish() {
        let first = isFinished.withLock { finished in
            defer { finished = true }
            return !finished
        }
        if first { end() }
    }
}
