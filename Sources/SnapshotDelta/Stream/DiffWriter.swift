public import CephCore

/// Writes a stream of `rbd export-diff`.
///
/// Small changes are gathered, large ones go out as they are.
public final class DiffWriter<Output: ByteOutput> {
    private let output: Output
    private let format: DiffFormat
    private let gathered = IOBuffer(capacity: 256 << 10)
    private var count = 0
    /// Bytes of the stream so far.
    public private(set) var position: UInt64 = 0

    /// Begins a stream.
    public init(_ output: Output, _ header: DiffHeader) async throws {
        self.output = output
        format = header.format
        try await append(format.banner)
        if let start = header.start { try await write(.start(start)) }
        if let end = header.end {
            try await write(.end(end))
            if format == .v2 { try await write(.protection(header.isEndProtected)) }
        }
        if let size = header.size { try await write(.size(size)) }
    }

    /// Writes data for an offset of the image: a part of a buffer.
    public func write(_ buffer: borrowing IOBuffer, _ part: Range<Int>, at offset: UInt64) async throws {
        try await write(.data(offset..<offset + UInt64(part.count)))
        guard part.count > gathered.capacity / 4 else { return try await append(buffer, part) }
        try await flush()
        try await output.write(buffer, part)
        position += UInt64(part.count)
    }

    /// Writes that a range of the image reads as zeroes.
    public func writeHole(_ range: Range<UInt64>) async throws { try await write(.zeroes(range)) }

    /// Ends the stream; one without its end is refused by readers.
    public func finish() async throws {
        try await write(.finish)
        try await flush()
    }

    private func write(_ record: DiffRecord) async throws {
        try await append(Encoder.encode { record.encode(into: &$0, format) })
    }

    private func append(_ bytes: [UInt8]) async throws {
        if count + bytes.count > gathered.capacity { try await flush() }
        gathered.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[count...]).copyBytes(from: bytes) }
        added(bytes.count)
    }

    private func append(_ buffer: borrowing IOBuffer, _ part: Range<Int>) async throws {
        if count + part.count > gathered.capacity { try await flush() }
        gathered.withBytes { to in
            buffer.withBytes { from in
                UnsafeMutableRawBufferPointer(rebasing: to[count...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: from[part]))
            }
        }
        added(part.count)
    }

    private func added(_ length: Int) {
        count += length
        position += UInt64(length)
    }

    private func flush() async throws {
        guard count > 0 else { return }
        try await output.write(gathered, 0..<count)
        count = 0
    }
}
