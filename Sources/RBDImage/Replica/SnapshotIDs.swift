public import CephCore

/// Self-managed snapshot ids, taken ahead of need.
///
/// An id is a monitor proposal, up to a second under load; a few are kept ready for each pool. An id
/// that is never used costs nothing, and ``drain()`` gives the ready ones back.
public actor SnapshotIDs {
    private let pool: Pool
    private let reserve: Int
    private var ready: [UInt64] = []
    private var pending: [Task<UInt64, any Error>] = []

    /// - Parameter reserve: Ids kept ready once the first was asked for.
    public init(pool: Pool, reserve: Int = 2) {
        self.pool = pool
        self.reserve = reserve
    }

    /// An id greater than `floor`.
    public func take(above floor: UInt64 = 0) async throws -> UInt64 {
        while true {
            ready.sort()
            if let index = ready.firstIndex(where: { $0 > floor }) {
                let id = ready.remove(at: index)
                refill()
                return id
            }
            let id = try await order().value
            refill()
            if id > floor { return id }
            ready.append(id)
        }
    }

    /// Gives an id back that ``take(above:)`` returned and nothing used.
    public func giveBack(_ id: UInt64) { ready.append(id) }

    /// Releases the ids that are ready.
    public func drain() async {
        for task in pending { if let id = try? await task.value { ready.append(id) } }
        pending = []
        let unused = ready
        ready = []
        for id in unused { _ = try? await pool.removeSelfManagedSnapshot(id) }
    }

    private func order() -> Task<UInt64, any Error> {
        if !pending.isEmpty { return pending.removeFirst() }
        return request()
    }

    private func request() -> Task<UInt64, any Error> {
        let pool = pool
        return Task { try await pool.createSelfManagedSnapshot() }
    }

    private func refill() {
        while ready.count + pending.count < reserve { pending.append(request()) }
    }
}
