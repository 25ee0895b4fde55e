internal import Glibc

/// A file, pipe or socket by its descriptor, which stays its owner's.
///
/// Calls that block go to a thread of their own. One whose task is cancelled is left behind: it ends when the descriptor's other
/// end goes, and the descriptor must stay open until then.
public struct DescriptorStream: ByteInput, ByteOutput {
    public let descriptor: Int32

    public init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// - Throws: `CephError` with the errno; `CancellationError` at once when cancelled.
    /// - C call: `read`
    public func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws -> Int {
        try await lending(buffer, range, "read", POLLIN) { [descriptor] memory, count in Glibc.read(descriptor, memory, count) }
    }

    /// - Throws: `CephError` with the errno, `EPIPE` where nobody reads any more (with SIGPIPE ignored, else the process ends);
    ///   `CancellationError` at once when cancelled.
    /// - C call: `write`
    public func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
        var rest = range
        while !rest.isEmpty {
            let count = try await lending(buffer, rest, "write", POLLOUT) { [descriptor] memory, count in
                Glibc.write(descriptor, memory, count)
            }
            rest = rest.lowerBound + count..<rest.upperBound
        }
    }

    /// Has what was written on stable storage.
    ///
    /// - C call: `fsync`
    public func synchronize() async throws(CephError) {
        let descriptor = descriptor
        try await LentThread.run("fsync", on: "descriptor \(descriptor)", in: nil, within: nil) { () throws(CephError) in
            guard fsync(descriptor) == 0 else { throw CephError(code: errno, operation: "fsync", subject: "descriptor \(descriptor)") }
        }
    }

    /// Runs one call on a lent thread; the buffer's memory outlives it also when it is left behind.
    private func lending(
        _ buffer: borrowing IOBuffer, _ range: Range<Int>, _ operation: String, _ event: CInt,
        _ call: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Int
    ) async throws -> Int {
        try Task.checkCancellation()
        let memory = buffer.memory
        let part = buffer.part(range)
        let subject = "descriptor \(descriptor)"
        guard !memory.isAbandoned else { throw CephError(code: EBUSY, operation: operation, subject: subject) }
        do throws(CephError) {
            return try await LentThread.run(operation, on: subject, in: nil, within: nil, yieldsToCancellation: true) {
                [descriptor] () throws(CephError) in
                defer { withExtendedLifetime(memory) {} }
                while true {
                    let count = call(part.pointer, range.count)
                    if count >= 0 { return count }
                    let code = errno
                    guard code == EINTR || code == EAGAIN else { throw CephError(code: code, operation: operation, subject: subject) }
                    var wanted = pollfd(fd: descriptor, events: Int16(event), revents: 0)
                    if code == EAGAIN { poll(&wanted, 1, -1) }
                }
            }
        } catch {
            guard error.code == ECANCELED else { throw error }
            memory.abandon()
            throw CancellationError()
        }
    }
}

/// Bytes in memory as a stream.
public final class MemoryStream: ByteInput, ByteOutput {
    private let state: Locked<(bytes: [UInt8], position: Int)>

    public init(_ bytes: [UInt8] = []) { state = Locked((bytes, 0)) }

    /// All bytes: those it began with and those written since.
    public var bytes: [UInt8] { state.withLock { $0.bytes } }

    public func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws -> Int {
        let next = state.withLock { state in
            let end = min(state.position + range.count, state.bytes.count)
            defer { state.position = end }
            return Array(state.bytes[state.position..<end])
        }
        buffer.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyBytes(from: next) }
        return next.count
    }

    public func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
        let new = buffer.withBytes { Array($0[range]) }
        state.withLock { $0.bytes += new }
    }
}
