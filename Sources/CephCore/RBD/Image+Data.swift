internal import CCeph
internal import Glibc

extension Image {
    /// Reads bytes at an image offset into a part of the caller's buffer.
    ///
    /// - Returns: How many there were; fewer at the image's end.
    /// - Throws: `EINVAL` when it begins at or beyond the image's end; `EBUSY` for a buffer that a call which timed out may still use.
    /// - C call: `rbd_aio_read`
    public func read(
        at offset: UInt64, into buffer: borrowing IOBuffer, _ range: Range<Int>
    ) async throws(CephError) -> Int {
        let target = try part(of: buffer, range, "rbd_aio_read").pointer.assumingMemoryBound(to: CChar.self)
        let handle = handle
        guard access.isReadOnly else {
            return try await waiting(for: buffer.memory, "rbd_aio_read") {
                rbd_aio_read(handle.pointer, offset, range.count, target, $0)
            }
        }
        return try await completion(of: "rbd_aio_read") { rbd_aio_read(handle.pointer, offset, range.count, target, $0) }
    }

    /// Reads a range of the image; fewer bytes at its end.
    public func read(_ range: Range<UInt64>) async throws(CephError) -> [UInt8] {
        let length = Int(range.upperBound - range.lowerBound)
        let buffer = IOBuffer(capacity: length)
        let count = try await read(at: range.lowerBound, into: buffer, 0..<length)
        return buffer.withBytes { Array($0.prefix(count)) }
    }

    /// Writes a part of the caller's buffer at an image offset.
    ///
    /// On an image with an exclusive lock the first write takes the lock, which waits for who has it, at most for the image
    /// deadline. What was written is safe after ``flush()``.
    /// - Throws: `EINVAL` beyond the image's end, `EROFS` on a read-only or non-primary image; after `ETIMEDOUT` the write
    ///   may still be applied.
    /// - C call: `rbd_aio_write`
    public func write(
        _ buffer: borrowing IOBuffer, _ range: Range<Int>, at offset: UInt64
    ) async throws(CephError) {
        let source = try part(of: buffer, range, "rbd_aio_write").pointer.assumingMemoryBound(to: CChar.self)
        let handle = handle
        try await waiting(for: buffer.memory, "rbd_aio_write") {
            rbd_aio_write(handle.pointer, offset, range.count, source, $0)
        }
    }

    /// Writes bytes at an image offset.
    public func write(_ bytes: some Collection<UInt8>, at offset: UInt64) async throws(CephError) {
        let buffer = IOBuffer(capacity: bytes.count)
        buffer.withBytes { $0.copyBytes(from: bytes) }
        try await write(buffer, 0..<bytes.count, at: offset)
    }

    /// Gives a range back to the pool: it reads as zeroes afterwards.
    ///
    /// librbd leaves parts smaller than `rbd_discard_granularity_bytes` (64 KiB) as they are; ``writeZeroes(_:)`` does not.
    /// - C call: `rbd_aio_discard`
    public func discard(_ range: Range<UInt64>) async throws(CephError) {
        let handle = handle
        try await completion(of: "rbd_aio_discard", using: self) {
            rbd_aio_discard(handle.pointer, range.lowerBound, range.upperBound - range.lowerBound, $0)
        }
    }

    /// Makes a range read as zeroes, to the byte; frees what it can.
    ///
    /// - C call: `rbd_aio_write_zeroes`
    public func writeZeroes(_ range: Range<UInt64>) async throws(CephError) {
        let handle = handle
        try await completion(of: "rbd_aio_write_zeroes", using: self) {
            rbd_aio_write_zeroes(handle.pointer, range.lowerBound, Int(range.upperBound - range.lowerBound), $0, 0, 0)
        }
    }

    /// Writes a pattern again and again.
    ///
    /// - Parameter range: Its length must be a multiple of the pattern's.
    /// - Throws: `EINVAL` for other lengths and beyond the image's end.
    /// - C call: `rbd_aio_writesame`
    public func writeSame(_ pattern: some Collection<UInt8>, over range: Range<UInt64>) async throws(CephError) {
        let buffer = IOBuffer(capacity: pattern.count)
        buffer.withBytes { $0.copyBytes(from: pattern) }
        let source = try part(of: buffer, 0..<pattern.count, "rbd_aio_writesame").pointer.assumingMemoryBound(to: CChar.self)
        let handle = handle
        try await waiting(for: buffer.memory, "rbd_aio_writesame") {
            rbd_aio_writesame(handle.pointer, range.lowerBound, Int(range.upperBound - range.lowerBound), source, pattern.count, $0, 0)
        }
    }

    /// Writes bytes if others are there.
    ///
    /// - Parameters:
    ///   - expected: As many as the bytes that are written.
    ///   - offset: The bytes must not reach from one object into the next.
    /// - Returns: Whether they were there; else nothing was written.
    /// - Throws: `EINVAL` for ranges of two objects.
    /// - C call: `rbd_aio_compare_and_write`
    public func compareAndWrite(
        _ expected: some Collection<UInt8>, with bytes: some Collection<UInt8>, at offset: UInt64
    ) async throws(CephError) -> Bool {
        guard expected.count == bytes.count else {
            throw CephError(code: EINVAL, operation: "rbd_aio_compare_and_write", subject: subject)
        }
        let count = bytes.count
        // Where the first byte differs is written behind the two.
        let buffer = IOBuffer(capacity: 2 * count + 16)
        buffer.withBytes { memory in
            memory.copyBytes(from: expected)
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyBytes(from: bytes)
        }
        let start = try part(of: buffer, 0..<2 * count + 16, "rbd_aio_compare_and_write").pointer
        let mismatch = (start + (2 * count + 7) / 8 * 8).assumingMemoryBound(to: UInt64.self)
        let handle = handle
        do throws(CephError) {
            try await waiting(for: buffer.memory, "rbd_aio_compare_and_write") {
                CInt(clamping: rbd_aio_compare_and_write(
                    handle.pointer, offset, count, start.assumingMemoryBound(to: CChar.self),
                    (start + count).assumingMemoryBound(to: CChar.self), $0, mismatch, 0))
            }
        } catch {
            guard error.code == EILSEQ else { throw error }
            return false
        }
        return true
    }

    /// Waits until all that was written is on the cluster.
    ///
    /// - C call: `rbd_aio_flush`
    public func flush() async throws(CephError) {
        let handle = handle
        try await completion(of: "rbd_aio_flush", using: self) { rbd_aio_flush(handle.pointer, $0) }
    }

    private func part(
        of buffer: borrowing IOBuffer, _ range: Range<Int>, _ operation: String
    ) throws(CephError) -> UnsafeHandle {
        guard !buffer.memory.isAbandoned else { throw CephError(code: EBUSY, operation: operation, subject: subject) }
        return buffer.part(range)
    }

    /// Awaits a call that may wait for the lock and uses a buffer's memory until its end.
    @discardableResult
    private func waiting(
        for memory: IOMemory, _ operation: String, _ start: (rbd_completion_t) -> CInt
    ) async throws(CephError) -> Int {
        do throws(CephError) {
            return try await completion(of: operation, using: memory, start)
        } catch {
            if error.isTimeout { memory.abandon() }
            throw error
        }
    }
}
