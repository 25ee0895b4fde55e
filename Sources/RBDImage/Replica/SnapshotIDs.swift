public import CephCore

/// Self-managed snapshot ids, taken ahead of need.
///
/// They belong to the pool of an image's data objects; each pool has a supply of its own, begun when it is first asked.
///
/// An id is a monitor's proposal, up to a second under load; proposals made together take as long as one. Whoever
/// needs an id usually needs a second one soon, so two are asked for, also for those who announced themselves
/// (``expect(_:in:)``) and stand in line for something else. An id that is never used costs nothing, and ``drain()``
/// gives the ready ones back.
public actor SnapshotIDs {
    private static let mostUnderWay = 256
    private let reserve: Int
    /// By the pool's id: ids are the same in all of its namespaces.
    private var supplies: [Int64: Supply] = [:]
    private var isDraining = false

    /// What there is of one pool's ids.
    private struct Supply {
        let pool: Pool
        var ready: [UInt64] = []
        var waiters: [Waiter] = []
        var underWay = 0
        var expected: Set<String> = []
    }

    private struct Waiter {
        let floor: UInt64
        let continuation: CheckedContinuation<UInt64, any Error>
    }

    /// - Parameter reserve: Ids of a pool kept ready once the first was asked for.
    public init(reserve: Int = 4) { self.reserve = reserve }

    /// An id of a pool, greater than `floor`.
    ///
    /// - Throws: ``CephError`` when the monitors refuse or do not answer; `CancellationError` once ``drain()`` was called.
    public func take(in pool: Pool, above floor: UInt64 = 0) async throws -> UInt64 {
        guard !isDraining else { throw CancellationError() }
        var supply = supplies[pool.id] ?? Supply(pool: pool)
        if let index = supply.ready.indices.filter({ supply.ready[$0] > floor }).min(by: { supply.ready[$0] < supply.ready[$1] }) {
            let id = supply.ready.remove(at: index)
            refill(&supply)
            supplies[pool.id] = supply
            return id
        }
        return try await withCheckedThrowingContinuation { continuation in
            supply.waiters.append(Waiter(floor: floor, continuation: continuation))
            refill(&supply)
            supplies[pool.id] = supply
        }
    }

    /// Has ids of a pool made for somebody who will soon take some, until ``settle(_:in:)``.
    public func expect(_ image: String, in pool: Pool) {
        var supply = supplies[pool.id] ?? Supply(pool: pool)
        supply.expected.insert(image)
        refill(&supply)
        supplies[pool.id] = supply
    }

    /// Ends what ``expect(_:in:)`` began.
    public func settle(_ image: String, in pool: Pool) { supplies[pool.id]?.expected.remove(image) }

    /// Gives an id back that ``take(in:above:)`` returned and nothing used.
    public func giveBack(_ id: UInt64, in pool: Pool) { arrived(id, in: pool) }

    /// Releases the ids that are ready and sends away who waits; ids under way are released when they come.
    public func drain() async {
        isDraining = true
        let all = supplies.values
        supplies = [:]
        for waiter in all.flatMap(\.waiters) { waiter.continuation.resume(throwing: CancellationError()) }
        await withTaskGroup { group in
            for supply in all {
                for id in supply.ready { group.addTask { _ = try? await supply.pool.removeSelfManagedSnapshot(id) } }
            }
        }
    }

    private func refill(_ supply: inout Supply) {
        guard !isDraining else { return }
        let each = reserve > 0 ? 2 : 1
        // What is ready while somebody waits is too low for them.
        let wanted = supply.waiters.isEmpty
            ? max(reserve, supply.expected.count * each) - supply.ready.count
            : max(supply.waiters.count, supply.expected.count) * each
        let pool = supply.pool
        while supply.underWay < min(wanted, Self.mostUnderWay) {
            supply.underWay += 1
            Task { await request(in: pool) }
        }
    }

    private func request(in pool: Pool) async {
        do throws(CephError) {
            let id = try await pool.createSelfManagedSnapshot()
            supplies[pool.id]?.underWay -= 1
            arrived(id, in: pool)
        } catch {
            supplies[pool.id]?.underWay -= 1
            if supplies[pool.id]?.waiters.isEmpty == false {
                supplies[pool.id]?.waiters.removeFirst().continuation.resume(throwing: error)
            }
        }
    }

    private func arrived(_ id: UInt64, in pool: Pool) {
        guard !isDraining else {
            Task { _ = try? await pool.removeSelfManagedSnapshot(id) }
            return
        }
        var supply = supplies[pool.id] ?? Supply(pool: pool)
        if let index = supply.waiters.firstIndex(where: { $0.floor < id }) {
            supply.waiters.remove(at: index).continuation.resume(returning: id)
        } else {
            supply.ready.append(id)
            // Too low for those who wait.
            if !supply.waiters.isEmpty { refill(&supply) }
        }
        supplies[pool.id] = supply
    }
}
