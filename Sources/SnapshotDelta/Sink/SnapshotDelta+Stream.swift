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

/// Reads a delta's data ahead and hands it out in order.
private struct PiecesAhead: ~Copyable {
    enum Piece {
        case hole(Range<UInt64>)
        case data(DeltaData)

        var range: Range<UInt64> {
            switch self {
            case .hole(let range): range
            case .data(let data): data.range
            }
        }
    }

    private enum Coming {
        case hole(Range<UInt64>)
        case data(Task<DeltaData, any Error>)
    }

    private let walk: DeltaWalk
    private let image: Image
    private let memory: BufferPool
    private let width: Int
    private var coming: [Coming] = []
    /// The part of the walk's last extent that is not on its way.
    private var rest: SnapshotDelta.Extent?
    private var isAtEnd = false

    init(_ walk: DeltaWalk, _ image: Image, _ memory: BufferPool, width: Int) {
        self.walk = walk
        self.image = image
        self.memory = memory
        self.width = width
    }

    deinit { cancel() }

    mutating func next() async throws -> Piece? {
        try await fill()
        guard let first = coming.first else { return nil }
        coming.removeFirst()
        switch first {
        case .hole(let range): return .hole(range)
        case .data(let task):
            return .data(try await withTaskCancellationHandler { try await task.value } onCancel: { task.cancel() })
        }
    }

    /// Begins reads until there is no room: one who holds data waits for none, since nobody else would give it back.
    private mutating func fill() async throws {
        while coming.count < width {
            if rest == nil, !isAtEnd {
                rest = try await walk.next()
                isAtEnd = rest == nil
            }
            guard let extent = rest else { return }
            guard !extent.isHole else {
                coming.append(.hole(extent.range))
                rest = nil
                continue
            }
            let length = min(UInt64(min(DeltaData.longest, memory.budget)), extent.range.upperBound - extent.range.lowerBound)
            let part = extent.range.lowerBound..<extent.range.lowerBound + length
            if coming.contains(where: { if case .data = $0 { true } else { false } }) {
                guard let buffer = memory.lendIfFree(Int(length)) else { return }
                begin(part, buffer)
            } else {
                begin(part, try await memory.lend(Int(length)))
            }
            rest = part.upperBound == extent.range.upperBound ? nil : .init(range: part.upperBound..<extent.range.upperBound, isHole: false)
        }
    }

    private mutating func begin(_ range: Range<UInt64>, _ buffer: consuming IOBuffer) {
        let data = DeltaData(range, buffer)
        coming.append(.data(Task { [image, proof = walk.scan.proof] in try await image.fill(data, proof) }))
    }

    private func cancel() {
        for case .data(let task) in coming { task.cancel() }
    }
}
