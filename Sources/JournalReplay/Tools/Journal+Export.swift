public import CephCore

/// What a tool is at, for people who wait for it.
public struct JournalToolProgress: Hashable, Sendable {
    public var entries: Int
    /// Of their payloads.
    public var bytes: UInt64
}

extension Journal {
    /// Writes entries as `rbd journal export` does, so that `rbd journal import` takes them; or as JSON lines.
    ///
    /// Unlike it, this needs no client of its own, and begins where it is told to.
    /// - Parameters:
    ///   - committed: After which entry to begin; the whole journal by default.
    ///   - progress: Called now and then, on no thread in particular.
    /// - Returns: How much was written.
    /// - Throws: ``JournalDamage`` where it comes to it: what lies before has been written.
    @discardableResult
    public func export(
        to output: some ByteOutput, after committed: JournalCommitPosition = .init(), as format: JournalFileFormat = .stock,
        progress: (@Sendable (JournalToolProgress) -> Void)? = nil
    ) async throws -> JournalToolProgress {
        let file = OutputFile(output)
        var done = JournalToolProgress(entries: 0, bytes: 0)
        if format == .stock { try await file.write(JournalFile.head(id)) }
        do {
            for try await entry in entries(after: committed) {
                done.entries += 1
                done.bytes += UInt64(entry.payload.count)
                try await file.write(JournalFile.line(entry, number: done.entries, format))
                if done.entries % 1000 == 0 { progress?(done) }
            }
        } catch let damage as JournalDamage {
            try await file.flush()
            throw damage
        }
        try await file.flush()
        progress?(done)
        return done
    }
}

/// Gathers what is written in small parts.
private final class OutputFile<Output: ByteOutput> {
    private let output: Output
    private let buffer = IOBuffer(capacity: 256 << 10)
    private var count = 0

    init(_ output: Output) { self.output = output }

    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if count == buffer.capacity { try await flush() }
            let part = rest.prefix(buffer.capacity - count)
            buffer.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[count...]).copyBytes(from: part) }
            count += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    func flush() async throws {
        if count > 0 { try await output.write(buffer, 0..<count) }
        count = 0
    }
}
