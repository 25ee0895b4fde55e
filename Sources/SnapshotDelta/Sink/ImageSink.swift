internal import CephCore

/// An ordinary image that a delta is applied to, through librbd, as `rbd import-diff` does.
struct ImageSink: Sendable {
    let image: Image
    private let header: DiffHeader
    /// Bytes of the image from here on.
    let size: UInt64
    /// Bytes that one call makes zero, at most: what it takes is a matter of objects.
    let zeroesAtOnce: Int

    /// Checks that the delta fits the image, and gives the image its size.
    ///
    /// - Throws: ``DeltaError`` with `startMissing` or `endExists`, before anything is changed.
    init(_ image: Image, _ header: DiffHeader) async throws {
        self.image = image
        self.header = header
        let names = try await image.snapshots().filter { $0.kind == .user }.map(\.name)
        if let start = header.start, !names.contains(start) { throw DeltaError(.startMissing, "\(image.spec)@\(start)") }
        if let end = header.end, names.contains(end) { throw DeltaError(.endExists, "\(image.spec)@\(end)") }
        let info = try await image.info()
        size = header.size ?? info.size
        zeroesAtOnce = Int(info.objectSize) * 64
        if size != info.size { try await image.resize(to: size, shrinking: true) }
    }

    /// Writes data; runs of zeroes are freed instead.
    ///
    /// - Returns: How many bytes were written.
    func write(_ data: DeltaData) async throws -> UInt64 {
        let runs = data.nonZeroRuns(gap: ZeroRuns.granularity)
        for run in runs { try await image.write(data.buffer, run, at: data.place(run).lowerBound) }
        for zeroes in data.zeroes(between: runs) { try await image.writeZeroes(zeroes) }
        return runs.reduce(0) { $0 + UInt64($1.count) }
    }

    /// Makes the snapshot that the delta ends with.
    func finish() async throws {
        try await image.flush()
        guard let end = header.end else { return }
        try await image.createSnapshot(end)
        if header.isEndProtected { try await image.protectSnapshot(end) }
    }
}
