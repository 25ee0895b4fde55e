internal import Glibc

/// A budget of memory for data in flight, and the back-pressure that keeps to it.
///
/// Whoever wants a buffer waits until enough of the budget is free; waiters are served in order,
/// so a large request is not starved by small ones.
public final class BufferPool: Sendable {
    /// The budget in bytes.
    public let budget: Int

    private struct Waiter {
        let id: UInt64
        let size: Int
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct Block: @unchecked Sendable { let base: UnsafeMutableRawPointer }

    private struct State: Sendable {
        var used = 0
        var idle: [Int: [Block]] = [:]
        var idleBytes = 0
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        var cancelled: Set<UInt64> = []

        /// Takes the waiters that fit now, in order.
        mutating func admitWaiters(_ budget: Int) -> [UnsafeContinuation<Bool, Never>] {
            var ready: [UnsafeContinuation<Bool, Never>] = []
            while let first = waiters.first, used + first.size <= budget {
                used += first.size
                ready.append(first.continuation)
                waiters.removeFirst()
            }
            return ready
        }

        /// Removes idle blocks until lent and idle memory together fit the budget.
        mutating func takeSurplus(beyond budget: Int) -> [Block] {
            var surplus: [Block] = []
            for size in idle.keys.sorted(by: >) {
                while used + idleBytes > budget, let block = idle[size]?.popLast() {
                    idleBytes -= size
                    surplus.append(block)
                }
            }
            return surplus
        }
    }

    private let state = Locked(State())

    /// Makes a pool with a budget in bytes.
    public init(budget: Int) { self.budget = budget }

    deinit {
        state.withLock { state in
            for blocks in state.idle.values { for block in blocks { free(block.base) } }
        }
    }

    /// Bytes lent at the moment.
    public var bytesInUse: Int { state.withLock { $0.used } }

    /// Requests that wait at the moment.
    public var waiting: Int { state.withLock { $0.waiters.count } }

    /// Waits for `size` bytes of the budget and lends a buffer of that size.
    ///
    /// A request larger than the whole budget is served alone.
    /// - Throws: `CancellationError` when the task is cancelled while waiting.
    public func lend(_ size: Int) async throws(CancellationError) -> IOBuffer {
        let size = max(4096, (size + 4095) & ~4095)
        try await admit(min(size, budget))
        return IOBuffer(IOMemory(base: memory(size), capacity: size, pool: self))
    }

    /// Lends a buffer of that size if the budget has room for it now and nobody waits.
    ///
    /// For one who holds buffers already and would wait for what it has itself.
    public func lendIfFree(_ size: Int) -> IOBuffer? {
        let size = max(4096, (size + 4095) & ~4095)
        let isFree = state.withLock { state in
            guard state.waiters.isEmpty, state.used + min(size, budget) <= budget else { return false }
            state.used += min(size, budget)
            return true
        }
        return isFree ? IOBuffer(IOMemory(base: memory(size), capacity: size, pool: self)) : nil
    }

    /// Waits for `size` bytes of the budget for memory that somebody else allocates.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while waiting.
    public func reserve(_ size: Int) async throws(CancellationError) -> Reservation {
        let charge = min(max(size, 1), budget)
        try await admit(charge)
        return Reservation(size: charge, pool: self)
    }

    /// A part of a pool's budget, given back when it ends.
    public struct Reservation: ~Copyable, Sendable {
        let size: Int
        let pool: BufferPool
        deinit { pool.release(size) }
        /// Gives the bytes back.
        public consuming func release() {}
    }

    private func admit(_ charge: Int) async throws(CancellationError) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let admitted = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return false }
                    if state.waiters.isEmpty, state.used + charge <= budget {
                        state.used += charge
                        return true
                    }
                    state.waiters.append(Waiter(id: id, size: charge, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancel(id)
        }
        state.withLock { _ = $0.cancelled.remove(id) }
        guard admitted else { throw CancellationError() }
    }

    private func memory(_ size: Int) -> UnsafeMutableRawPointer {
        let (found, surplus): (Block?, [Block]) = state.withLock { state in
            if let block = state.idle[size]?.popLast() {
                state.idleBytes -= size
                return (block, [])
            }
            return (nil, state.takeSurplus(beyond: budget))
        }
        for block in surplus { free(block.base) }
        return found?.base ?? IOMemory.allocate(size)
    }

    private func cancel(_ id: UInt64) {
        let (waiter, ready) = state.withLock { state -> (Waiter?, [UnsafeContinuation<Bool, Never>]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return (nil, [])
            }
            // A large request that leaves may let smaller ones behind it pass.
            return (state.waiters.remove(at: index), state.admitWaiters(budget))
        }
        waiter?.continuation.resume(returning: false)
        for continuation in ready { continuation.resume(returning: true) }
    }

    private func release(_ charge: Int) {
        let ready = state.withLock { state in
            state.used -= charge
            return state.admitWaiters(budget)
        }
        for continuation in ready { continuation.resume(returning: true) }
    }

    func giveBack(_ base: UnsafeMutableRawPointer, _ size: Int) {
        let block = Block(base: base)
        let discarded = state.withLock { state in
            // Lent and idle memory together stay within the budget.
            guard state.used - min(size, budget) + state.idleBytes + size <= budget else { return true }
            state.idle[size, default: []].append(block)
            state.idleBytes += size
            return false
        }
        if discarded { free(base) }
        release(min(size, budget))
    }
}
