@testable import SnapshotDelta
import TestSupport
import Testing

@Suite struct ZeroRunsTests {
    static func model(_ bytes: [UInt8]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for start in stride(from: 0, to: bytes.count, by: 4096) {
            let end = min(start + 4096, bytes.count)
            guard bytes[start..<end].contains(where: { $0 != 0 }) else { continue }
            if let last = runs.last, last.upperBound == start { runs[runs.count - 1] = last.lowerBound..<end } else { runs.append(start..<end) }
        }
        return runs
    }

    @Test func againstOneByteAtATime() {
        var random = SeededRandom.forRun("zero runs")
        for _ in 0..<300 {
            var bytes = [UInt8](repeating: 0, count: random.below(40_000))
            for _ in 0..<random.below(6) where !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8(1 + random.below(255)) }
            let expected = Self.model(bytes)
            #expect(bytes.withUnsafeBytes { ZeroRuns.nonZeroRuns(in: $0) } == expected, "\(SeededRandom.hint)")
            // At any address.
            let shifted = [UInt8](repeating: 0xff, count: 1 + random.below(15)) + bytes
            #expect(shifted.withUnsafeBytes {
                ZeroRuns.nonZeroRuns(in: UnsafeRawBufferPointer(rebasing: $0[(shifted.count - bytes.count)...]))
            } == expected)
        }
    }

    /// A single byte anywhere is seen, at any length.
    @Test func everyPosition() {
        for length in [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100] {
            var bytes = [UInt8](repeating: 0, count: length)
            #expect(bytes.withUnsafeBytes { ZeroRuns.isZero($0) })
            for index in bytes.indices {
                bytes[index] = 1
                #expect(!bytes.withUnsafeBytes { ZeroRuns.isZero($0) }, "byte \(index) of \(length)")
                bytes[index] = 0
            }
        }
    }

    @Test func nothing() {
        #expect(ZeroRuns.nonZeroRuns(in: UnsafeRawBufferPointer(start: nil, count: 0)).isEmpty)
    }
}

@Suite struct ChecksumComparisonTests {
    @Test func againstASet() {
        var random = SeededRandom.forRun("checksums")
        for _ in 0..<500 {
            let chunk = 1 + random.below(64), size = random.below(2000)
            let first = (0..<random.below(40)).map { _ in UInt64(random.below(3)) }
            let second = (0..<random.below(40)).map { _ in UInt64(random.below(3)) }
            let ranges = ChecksumComparison.differingRanges(first, second, chunk: chunk, size: UInt64(size))
            let differs = (0..<size).map { byte in
                let index = byte / chunk
                guard index < max(first.count, second.count) else { return false }
                return index >= first.count || index >= second.count || first[index] != second[index]
            }
            #expect(ranges == ModelObject.ranges(differs), "\(SeededRandom.hint)")
        }
    }
}

@Suite struct ContiguousTrackerTests {
    /// In whatever order jobs end, the mark is the last one before the first that is still running.
    @Test func anyOrder() {
        var random = SeededRandom.forRun("tracker")
        for _ in 0..<50 {
            let numbers = (0..<1 + random.below(3000)).map { UInt64($0 * 3 + 5) }
            var tracker = ContiguousTracker()
            var waiting = numbers[...]
            var running: [UInt64] = []
            var done: Set<UInt64> = []
            while !waiting.isEmpty || !running.isEmpty {
                while running.count < 16, let next = waiting.popFirst() {
                    tracker.started(next)
                    running.append(next)
                }
                let ended = running.remove(at: random.below(running.count))
                done.insert(ended)
                let mark = tracker.finished(ended)
                let firstOpen = running.min() ?? .max
                let expected = numbers.last { $0 < firstOpen && done.contains($0) }
                guard mark == expected else {
                    Issue.record("\(String(describing: mark)) for \(String(describing: expected)) \(SeededRandom.hint)")
                    return
                }
            }
        }
    }
}
