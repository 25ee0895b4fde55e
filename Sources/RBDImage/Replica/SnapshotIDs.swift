public import CephCore

/// Self-managed snapshot ids, taken ahead of need.
///
/// An id is a monitor's proposal, up to a second under load; proposals made together take as long as one. Whoever
/// needs an id usually needs a second one soon, so two are asked for, also for those who announced themselves
/// (``expect(_:)``) and stand in line for something else. An id that is never used costs nothing, and ``drain()`` gives
/// the ready ones back.
public actor SnapshotIDs {
    private let pool: Pool
    private let reserve: Int
    private var ready: [UInt64] = []
    private var waiters: [Waiter] = []
    private var underWay = 0
    private var expected: Set<String> = []
    private var isDraining = false

    private static let mostUnderWay = 256

    private struct Waiter {
        let floor: UInt64
        let continuation: CheckedContinuation<UInt64, any Error>
    }

    /// - Parameter reserve: Ids kept ready once the first was asked for.
    public init(pool: Pool, reserve: Int = 4) {
        self.pool = pool
        self.reserve = reserve
    }

    /// An id greater than `floor`.
    ///
    /// - Throws: ``CephError`` when the monitors refuse or do not answer; `CancellationError` once ``drain()`` was called.
    public func take(above floor: UInt64 = 0) async throws -> UInt64 {
        guard !isDraining else { throw CancellationError() }
        if let index = ready.indices.filter({ ready[$0] > floor }).min(by: { ready[$0] < ready[$1] }) {
            let id = ready.remove(at: index)
            refill()
            return id
        }
        return try await withCheckedThrowingContinuation { continuation in
            waiters.append(Waiter(floor: floor, continuation: continuation))
            refill()
        }
    }

    /// Has ids made for somebody who will soon take some, until ``settle(_:)``.
    public func expect(_ image: String) {
        expected.insert(image)
        refill()
    }

    /// Ends what ``expect(_:)`` began.
    public func settle(_ image: String) { expected.remove(image) }

    /// Gives an id back that ``take(above:)`` returned and nothing used.
    public func giveBack(_ id: UInt64) { arrived(id) }

    /// Releases the ids that are ready and sends away who waits; ids under way are released when they come.
    public func drain() async {
        isDraining = true
        for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
        waiters = []
        let unused = ready
        ready = []
        await withTaskGroup { group in
            for id in unused { group.addTask { [pool] in _ = try? await pool.removeSelfManagedSnapshot(id) } }
        }
    }

    private func refill() {
        guard !isDraining else { return }
        let each = reserve > 0 ? 2 : 1
        // What is ready while somebody waits is too low for them.
        let wanted = waiters.isEmpty ? max(reserve, expected.count * each) - ready.count : max(waiters.count, expected.count) * each
        while underWay < min(wanted, Self.mostUnderWay) {
            underWay += 1
            Task { await request() }
        }
    }

    private func request() async {
        do throws(CephError) {
            let id = try await pool.createSelfManagedSnapshot()
            underWay -= 1
            arrived(id)
        } catch {
            underWay -= 1
            if !waiters.isEmpty { waiters.removeFirst().continuation.resume(throwing: error) }
        }
    }

    private func arrived(_ id: UInt64) {
        if let index = waiters.firstIndex(where: { $0.floor < id }) {
            waiters.remove(at: index).continuation.resume(returning: id)
        } else if isDraining {
            Task { [pool] in _ = try? await pool.removeSelfManagedSnapshot(id) }
        } else {
            ready.append(id)
            // Too low for those who wait.
            if !waiters.isEmpty { refill() }
        }
    }
}
