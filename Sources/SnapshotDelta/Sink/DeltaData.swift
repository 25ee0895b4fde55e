internal import CephCore

/// Bytes of an image in a buffer of the budget; the buffer goes back with the last reference.
final class DeltaData: Sendable {
    let range: Range<UInt64>
    let buffer: IOBuffer

    init(_ range: Range<UInt64>, _ buffer: consuming IOBuffer) {
        self.range = range
        self.buffer = buffer
    }

    var count: Int { Int(range.upperBound - range.lowerBound) }

    /// The parts that hold anything but zeroes, as places in the buffer; `gap` is the shortest run of zeroes that is worth leaving out.
    func nonZeroRuns(gap: Int) -> [Range<Int>] {
        let runs = buffer.withBytes { ZeroRuns.nonZeroRuns(in: UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
        var joined: [Range<Int>] = []
        for run in runs {
            if let last = joined.last, run.lowerBound - last.upperBound < gap {
                joined[joined.count - 1] = last.lowerBound..<run.upperBound
            } else {
                joined.append(run)
            }
        }
        return joined
    }

    /// The image ranges before, between and behind the runs.
    func zeroes(between runs: [Range<Int>]) -> [Range<UInt64>] {
        var zeroes: [Range<UInt64>] = []
        var position = 0
        for run in runs + [count..<count] {
            if run.lowerBound > position { zeroes.append(place(position..<run.lowerBound)) }
            position = run.upperBound
        }
        return zeroes
    }

    /// Where a part of the buffer lies in the image.
    func place(_ part: Range<Int>) -> Range<UInt64> {
        range.lowerBound + UInt64(part.lowerBound)..<range.lowerBound + UInt64(part.upperBound)
    }

    /// Bytes that are moved at once, at most.
    static let longest = 4 << 20
}

extension Range<UInt64> {
    /// The range in parts of at most so many bytes, without making them all.
    func parts(of length: Int) -> RangeParts { RangeParts(rest: self, length: UInt64(length)) }
}

/// A range in parts, ascending.
struct RangeParts: Sequence, IteratorProtocol {
    fileprivate var rest: Range<UInt64>
    fileprivate let length: UInt64

    mutating func next() -> Range<UInt64>? {
        guard !rest.isEmpty else { return nil }
        let part = rest.lowerBound..<rest.lowerBound + Swift.min(length, rest.upperBound - rest.lowerBound)
        rest = part.upperBound..<rest.upperBound
        return part
    }
}
