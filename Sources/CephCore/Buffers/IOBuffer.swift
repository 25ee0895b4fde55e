internal import Glibc

/// Page-aligned memory for data in flight, owned by one task at a time.
///
/// Lent by a ``BufferPool``; gives its bytes back to the pool's budget when it ends.
public struct IOBuffer: ~Copyable, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    /// Bytes that fit.
    public let capacity: Int
    private let pool: BufferPool?

    init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
    }

    /// Allocates a buffer outside any budget.
    public init(capacity: Int) {
        self.init(base: Self.allocate(capacity), capacity: capacity, pool: nil)
    }

    deinit {
        if let pool { pool.giveBack(base, capacity) } else { free(base) }
    }

    /// The memory, valid inside `body`.
    public func withBytes<R, E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: base, count: capacity))
    }

    static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        var memory: UnsafeMutableRawPointer?
        let error = posix_memalign(&memory, 4096, max(capacity, 4096))
        precondition(error == 0, "out of memory for an I/O buffer of \(capacity) bytes")
        return memory!
    }
}
