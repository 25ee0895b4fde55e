import TestSupport

/// Random changes to an image, repeated by their seed.
struct SourceWorkload {
    private var random: SeededRandom
    /// Bytes of the image; a resize must be told.
    var size: Int
    /// Whether parts of the image are discarded, and zeroes written, which `rbd import-diff` turns into discards.
    ///
    /// What is discarded in an object above all that was written to it since the point before is lost on a stock daemon, in 20.2
    /// too: the old bytes stay on its replica.
    var discards = true
    private let block: [UInt8]

    private static let sector = 512

    init(_ random: SeededRandom, size: Int) {
        var random = random
        block = (0..<(1 << 18)).flatMap { _ in withUnsafeBytes(of: random.next(), Array.init) }
        self.random = random
        self.size = size
    }

    /// Fills about three quarters of a part of the image, all of it by default, in streams that fit into memory.
    mutating func fill(_ range: Range<Int>? = nil, _ send: (DiffStream) async throws -> Void) async throws {
        var stream = DiffStream()
        var start = range?.lowerBound ?? 0
        let end = range?.upperBound ?? size
        while start < end {
            let length = min(1 << 20, end - start)
            if !random.oneIn(4) { stream.write(data(length), at: start) }
            start += length
            if stream.bytes.count > 64 << 20 {
                try await send(stream)
                stream = DiffStream()
            }
        }
        try await send(stream)
    }

    /// Small and middling writes, discards of parts and of whole objects, and zeroes written as data.
    mutating func churn(writes: Int = 60, discards count: Int = 12, into stream: inout DiffStream) {
        for _ in 0..<writes {
            let range = range(upTo: random.oneIn(4) ? 1 << 20 : 64 << 10)
            stream.write(discards && random.oneIn(10) ? Array(repeating: 0, count: range.count) : data(range.count), at: range.lowerBound)
        }
        guard discards else { return }
        for _ in 0..<count { stream.discard(range(upTo: random.oneIn(3) ? 12 << 20 : 256 << 10)) }
    }

    mutating func churned() -> DiffStream {
        var stream = DiffStream()
        churn(into: &stream)
        return stream
    }

    private mutating func range(upTo limit: Int) -> Range<Int> {
        let sectors = size / Self.sector
        let count = 1 + random.below(min(limit / Self.sector, sectors))
        let start = random.below(sectors - count + 1)
        return start * Self.sector..<(start + count) * Self.sector
    }

    /// Bytes that differ from call to call.
    private mutating func data(_ count: Int) -> [UInt8] {
        let start = random.below(block.count - count)
        return Array(block[start..<start + count])
    }
}
