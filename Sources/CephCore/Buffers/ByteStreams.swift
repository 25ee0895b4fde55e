/// Where the bytes of a stream come from.
public protocol ByteInput: Sendable {
    /// Reads bytes into a part of a buffer.
    ///
    /// - Returns: How many; 0 at the end of the stream.
    func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws -> Int
}

/// Where the bytes of a stream go.
public protocol ByteOutput: Sendable {
    /// Writes a part of a buffer, all of it.
    func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws
}
