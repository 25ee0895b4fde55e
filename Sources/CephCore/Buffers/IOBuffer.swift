internal import Glibc
internal import Synchronization

/// Page-aligned memory for data in flight, owned by one task at a time.
///
/// Lent by a ``BufferPool``; gives its bytes back to the pool's budget when it ends. A buffer whose call ended with
/// `ETIMEDOUT` may still be used by Ceph: let it go, further calls with it fail with `EBUSY`.
public struct IOBuffer: ~Copyable, Sendable {
    let memory: IOMemory

    init(_ memory: IOMemory) { self.memory = memory }

    /// Allocates a buffer outside any budget.
    public init(capacity: Int) {
        memory = IOMemory(base: IOMemory.allocate(capacity), capacity: capacity, pool: nil)
    }

    /// Bytes that fit.
    public var capacity: Int { memory.capacity }

    var base: UnsafeMutableRawPointer { memory.base }

    /// The memory, valid inside `body`.
    public func withBytes<R, E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: base, count: capacity))
    }

    /// The part of the memory for one call.
    func part(_ range: Range<Int>) -> UnsafeHandle {
        precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "range outside the buffer")
        return UnsafeHandle(pointer: base + range.lowerBound)
    }
}

/// The memory of a buffer, which outlives the buffer while Ceph still uses it.
final class IOMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    private let pool: BufferPool?
    private let abandoned = Atomic(false)

    init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
    }

    deinit {
        if let pool { pool.giveBack(base, capacity) } else { free(base) }
    }

    /// Whether a call that was given up may still use the memory.
    var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }
    func abandon() { abandoned.store(true, ordering: .relaxed) }

    static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        var memory: UnsafeMutableRawPointer?
        let error = posix_memalign(&memory, 4096, max(capacity, 4096))
        precondition(error == 0, "out of memory for an I/O buffer of \(capacity) bytes")
        return memory!
    }
}
