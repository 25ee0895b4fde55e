internal import Logging

/// Hands out the leader's sync slots.
///
/// A daemon asks and is answered when a slot is free; then it is told to start, and its answer to that, given
/// when the sync has ended, frees the slot.
actor SyncDesk {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private var slots: SyncSlots
    private var waiting: [SyncSlots.Sync: [Waiter]] = [:]
    /// How to reach the daemons of syncs that wait.
    private var couriers: [SyncSlots.Sync: Courier] = [:]
    private var running: [SyncSlots.Sync: Task<Void, Never>] = [:]
    private var isOpen = false
    private var lastWaiter = 0

    init(limit: Int) { slots = SyncSlots(limit: limit) }

    /// Begins with empty slots: syncs granted by an earlier leader are not counted.
    func open() { isOpen = true }

    /// Sends everybody away: they ask the next leader.
    func close() {
        isOpen = false
        for waiter in waiting.values.joined() { waiter.continuation.resume(returning: false) }
        for task in running.values { task.cancel() }
        (waiting, couriers, running) = ([:], [:], [:])
        slots = SyncSlots(limit: slots.limit)
    }

    /// Waits for a slot; false when this daemon does not lead (any more).
    func request(_ sync: SyncSlots.Sync, by courier: Courier) async -> Bool {
        guard isOpen else { return false }
        switch slots.request(sync) {
        case .granted:
            start(sync, courier)
            return true
        case .running: return true
        case .queued:
            couriers[sync] = courier
            return await wait(for: sync)
        }
    }

    private func wait(for sync: SyncSlots.Sync) async -> Bool {
        lastWaiter += 1
        let id = lastWaiter
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: false) }
                waiting[sync, default: []].append(Waiter(id: id, continuation: continuation))
            }
        } onCancel: {
            Task { await self.withdraw(id, of: sync) }
        }
    }

    /// Nobody waits any more. The sync keeps its place: once granted, its daemon answers that it is not running.
    private func withdraw(_ id: Int, of sync: SyncSlots.Sync) {
        guard let index = waiting[sync]?.firstIndex(where: { $0.id == id }) else { return }
        waiting[sync]!.remove(at: index).continuation.resume(returning: false)
    }

    /// Frees the slots of a daemon that is gone.
    func removed(instance: String) {
        let gone = running.keys.filter { $0.instance == instance }
        for sync in gone { running.removeValue(forKey: sync)?.cancel() }
        for sync in waiting.keys.filter({ $0.instance == instance }) {
            couriers[sync] = nil
            for waiter in waiting.removeValue(forKey: sync) ?? [] { waiter.continuation.resume(returning: false) }
        }
        admit(slots.removed(instance: instance))
    }

    private func start(_ sync: SyncSlots.Sync, _ courier: Courier) {
        running[sync] = Task {
            // Whatever the answer is, and also without one, the sync is not running there.
            _ = try? await courier.send(.startSync(sync.id), to: sync.instance)
            guard !Task.isCancelled else { return }
            running[sync] = nil
            admit(slots.ended(sync))
        }
    }

    private func admit(_ syncs: [SyncSlots.Sync]) {
        for sync in syncs {
            if let courier = couriers.removeValue(forKey: sync) { start(sync, courier) }
            for waiter in waiting.removeValue(forKey: sync) ?? [] { waiter.continuation.resume(returning: true) }
        }
    }
}
