public import CephCore

extension SnapshotDelta {
    /// Writes the delta as a stream of `rbd export-diff`.
    ///
    ///     try await SnapshotDelta(of: image, since: .snapshot("monday")).write(to: DescriptorStream(1))
    ///
    /// `rbd import-diff`, `rbd merge-diff` and ``DiffReader`` take it. A stream that has no end was not written to its end, and
    /// readers refuse it; what they had applied by then is right all the same.
    /// - Parameters:
    ///   - memory: The budget for data on its way.
    ///   - report: Called after each extent.
    /// - Throws: ``DeltaError``, `pointChanged` when a snapshot was removed in the middle: nothing that was read after that is in the
    ///   stream. `CephError`; what the output throws; `CancellationError`.
    @discardableResult
    public func write(
        to output: some ByteOutput, as format: DiffFormat = .v1, memory: BufferPool = BufferPool(budget: 32 << 20),
        report: DeltaProgress.Report? = nil
    ) async throws -> DeltaProgress {
        let walk = try await begin()
        let writer = try await DiffWriter(output, walk.scan.diffHeader(format))
        var progress = DeltaProgress(size: walk.scan.end.size)
        var pieces = PiecesAhead(walk, image, memory, width: limits.objectsInFlight)
        while let piece = try await pieces.next() {
            switch piece {
            case .hole(let range): try await writer.writeHole(range)
            case .data(let data):
                // A record more costs less than the zeroes from here on.
                let runs = data.nonZeroRuns(gap: 64 << 10)
                let zeroes = data.zeroes(between: runs)
                for place in runs.map({ data.place($0) }).merged(with: zeroes) {
                    let start = Int(place.range.lowerBound - data.range.lowerBound)
                    let part = start..<start + DeltaData.size(of: place.range)
                    if place.isHole {
                        try await writer.writeHole(place.range)
                    } else {
                        try await writer.write(data.buffer, part, at: place.range.lowerBound)
                        progress.bytesWritten += UInt64(part.count)
                    }
                }
                progress.bytesRead += UInt64(data.count)
            }
            progress.extents += 1
            progress.position = piece.range.upperBound
            report?(progress)
        }
        try await writer.finish()
        progress.position = progress.size
        return progress
    }
}

extension [Range<UInt64>] {
    /// These as data and others as holes, in order.
    fileprivate func merged(with holes: [Range<UInt64>]) -> [SnapshotDelta.Extent] {
        (map { SnapshotDelta.Extent(range: $0, isHole: false) } + holes.map { .init(range: $0, isHole: true) })
            .sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}
