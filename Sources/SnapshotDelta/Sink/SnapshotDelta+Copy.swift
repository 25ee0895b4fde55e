public import CephCore
internal import RBDImage

extension SnapshotDelta {
    /// Applies the delta to another image and makes the newer point's snapshot there.
    ///
    ///     try await target.withImage("vm-17", for: .readWrite) { copy in
    ///         try await SnapshotDelta(of: image, since: .snapshot("monday")).copy(to: copy)
    ///     }
    ///
    /// The target must hold the older point: at HEAD, and as a snapshot of that name. It is resized, written to, and gets the
    /// snapshot at the end. When that fails or is cancelled HEAD holds a part: roll it back to the older point's snapshot, or repeat.
    /// - Parameters:
    ///   - target: Opened for writing, at HEAD; any object size and striping.
    ///   - memory: The budget for data on its way.
    ///   - report: Called after each extent that was begun, by one task at a time.
    /// - Throws: ``DeltaError``: `startMissing` or `endExists` before anything is changed; `pointChanged` when a snapshot was removed
    ///   in the middle, and nothing was written for what was read after that. `CephError`; `CancellationError`.
    @discardableResult
    public func copy(
        to target: Image, memory: BufferPool = BufferPool(budget: 32 << 20), report: DeltaProgress.Report? = nil
    ) async throws -> DeltaProgress {
        let walk = try await begin()
        let proof = walk.scan.proof
        let sink = try await ImageSink(target, walk.scan.diffHeader(.v1))
        let written = Locked<UInt64>(0)
        var progress = DeltaProgress(size: walk.scan.end.size)
        try await withBoundedTasks(limits.objectsInFlight) { add, settle in
            while let extent = try await walk.next() {
                if extent.isHole {
                    for part in extent.range.parts(of: sink.zeroesAtOnce) {
                        try await add { try await sink.image.writeZeroes(part) }
                    }
                } else {
                    for part in extent.range.parts(of: Swift.min(DeltaData.longest, memory.budget)) {
                        try await add {
                            let data = DeltaData(part, try await memory.lend(DeltaData.size(of: part)))
                            try await image.fill(data)
                            try await proof.prove()
                            let count = try await sink.write(data)
                            written.withLock { $0 += count }
                        }
                        progress.bytesRead += part.upperBound - part.lowerBound
                    }
                }
                progress.extents += 1
                progress.position = extent.range.lowerBound
                progress.bytesWritten = written.withLock { $0 }
                report?(progress)
            }
            try await settle()
        }
        try await sink.finish()
        progress.position = progress.size
        progress.bytesWritten = written.withLock { $0 }
        return progress
    }
}

extension DeltaData {
    static func size(of range: Range<UInt64>) -> Int { Int(range.upperBound - range.lowerBound) }
}

extension DeltaScan {
    /// What a stream, or an image that is written to, is told of the points.
    func diffHeader(_ format: DiffFormat) -> DiffHeader {
        let isProtected = source.header.snapshot(end.id)?.protection == .protected
        return DiffHeader(format: format, start: start?.name, end: end.name, size: end.size, isEndProtected: isProtected)
    }
}

extension Image {
    /// Reads a part of the image. A removed snapshot reads as zeroes: that it was still there afterwards is for the caller to prove.
    func fill(_ data: DeltaData) async throws {
        let count = try await yieldingToCancellation {
            try await self.read(at: data.range.lowerBound, into: data.buffer, 0..<data.count)
        }
        guard count == data.count else { throw DeltaError(.pointChanged, spec) }
    }
}
