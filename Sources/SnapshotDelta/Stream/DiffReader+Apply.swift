public import CephCore

extension DiffReader {
    /// Applies the stream to an image and makes its newer point's snapshot there, as `rbd import-diff` does.
    ///
    ///     try await pool.withImage("vm-17", for: .readWrite) { try await DiffReader(DescriptorStream(0)).apply(to: $0) }
    ///
    /// The image must hold the older point: at HEAD, and as a snapshot of that name. When this fails or is cancelled HEAD holds a part:
    /// roll it back to that snapshot.
    /// - Parameters:
    ///   - target: Opened for writing, at HEAD; any object size and striping.
    ///   - memory: The budget for data on its way.
    ///   - inFlight: How many writes at a time.
    ///   - report: Called after each record.
    /// - Returns: What the stream said of itself, and how much it was.
    /// - Throws: `WireError` for a stream that is damaged or ends early, with the offset; ``DeltaError``: `startMissing` or `endExists`
    ///   before anything is changed, `outOfRange`. `CephError`; what the input throws; `CancellationError`.
    @discardableResult
    public func apply(
        to target: Image, memory: BufferPool = BufferPool(budget: 32 << 20), inFlight: Int = 16, report: DeltaProgress.Report? = nil
    ) async throws -> (header: DiffHeader, progress: DeltaProgress) {
        let header = try await header()
        let sink = try await ImageSink(target, header)
        let written = Locked<UInt64>(0)
        var progress = DeltaProgress(size: sink.size)
        try await withBoundedTasks(inFlight) { add, settle in
            while let change = try await next() {
                guard change.range.upperBound <= sink.size else {
                    throw DeltaError(.outOfRange, "\(target.spec) \(change.range)")
                }
                // What comes a second time must come after the first: writes in flight have no order.
                if change.range.lowerBound < progress.position { try await settle() }
                if change.isHole {
                    for part in change.range.parts(of: sink.zeroesAtOnce) {
                        try await add { try await sink.image.writeZeroes(part) }
                    }
                } else {
                    for part in change.range.parts(of: min(DeltaData.longest, memory.budget)) {
                        // Writes in flight give theirs back by themselves.
                        let data = DeltaData(part, try await memory.lend(DeltaData.size(of: part)))
                        try await read(into: data.buffer, 0..<data.count)
                        try await add {
                            let count = try await sink.write(data)
                            written.withLock { $0 += count }
                        }
                        progress.bytesRead += UInt64(data.count)
                    }
                }
                progress.extents += 1
                progress.position = max(progress.position, change.range.upperBound)
                progress.bytesWritten = written.withLock { $0 }
                report?(progress)
            }
        }
        try await sink.finish()
        progress.bytesWritten = written.withLock { $0 }
        return (header, progress)
    }
}
