internal import CephCore

/// Reads a delta's data ahead and hands it out in order.
struct PiecesAhead: ~Copyable {
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

    private struct Coming {
        let piece: Piece
        /// Nil for a hole, and before it is begun.
        var reading: Task<Void, any Error>?

        var isData: Bool { if case .data = piece { true } else { false } }
    }

    private let walk: DeltaWalk
    private let image: Image
    private let memory: BufferPool
    private let width: Int
    private var coming: [Coming] = []
    /// How many of the first ones are being read, or were.
    private var begun = 0
    /// How many of the first ones were read before the points were seen again.
    private var proved = 0
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
        guard !coming.isEmpty else { return nil }
        if proved == 0 { try await proveSome() }
        (proved, begun) = (proved - 1, begun - 1)
        return coming.removeFirst().piece
    }

    /// Awaits half of what is coming, and shows that the points were still there afterwards: a removed snapshot reads as zeroes.
    private mutating func proveSome() async throws {
        let count = (coming.count + 1) / 2
        for index in 0..<count {
            begin(upTo: index + width)
            guard let reading = coming[index].reading else { continue }
            try await withTaskCancellationHandler { try await reading.value } onCancel: { reading.cancel() }
        }
        begin(upTo: count + width)
        try await walk.scan.proof.prove()
        proved = count
    }

    private mutating func begin(upTo end: Int) {
        while begun < min(end, coming.count) {
            if case .data(let data) = coming[begun].piece {
                coming[begun].reading = Task { [image] in try await image.fill(data) }
            }
            begun += 1
        }
    }

    /// Takes pieces until there is no room: one who holds data waits for none, since nobody else would give it back. Small ones are
    /// many, so that they share a look at the points.
    private mutating func fill() async throws {
        defer { begin(upTo: proved + width) }
        while coming.count < 8 * width {
            if rest == nil, !isAtEnd {
                rest = try await walk.next()
                isAtEnd = rest == nil
            }
            guard let extent = rest else { return }
            guard !extent.isHole else {
                coming.append(Coming(piece: .hole(extent.range)))
                rest = nil
                continue
            }
            let length = min(UInt64(min(DeltaData.longest, memory.budget)), extent.range.upperBound - extent.range.lowerBound)
            let part = extent.range.lowerBound..<extent.range.lowerBound + length
            if coming.contains(where: \.isData) {
                guard let buffer = memory.lendIfFree(Int(length)) else { return }
                coming.append(Coming(piece: .data(DeltaData(part, buffer))))
            } else {
                coming.append(Coming(piece: .data(DeltaData(part, try await memory.lend(Int(length))))))
            }
            rest = part.upperBound == extent.range.upperBound ? nil : .init(range: part.upperBound..<extent.range.upperBound, isHole: false)
        }
    }

    private func cancel() {
        for next in coming { next.reading?.cancel() }
    }
}
