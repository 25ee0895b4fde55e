@testable import SnapshotDelta
import RBDImage
import Synchronization
import TestSupport
import Testing

/// How an image is divided, and how far its parts are asked ahead.
@Suite(.timeLimit(.minutes(5))) struct DeltaStretchesTests {
    @Test func objectsAndWhatIsBetweenThem() {
        let plain = ImageLayout(order: 12)
        #expect(DeltaStretches(layout: plain, objects: [1, 4, 5], covered: 0..<0).map(\.objects) == [[1], [4], [5]])
        #expect(DeltaStretches(layout: plain, objects: [1, 4], covered: 0..<12_289).map(\.periods) == [0..<1, 1..<2, 2..<4, 4..<5])
        let striped = ImageLayout(order: 14, stripeUnit: 4096, stripeCount: 3)
        #expect(DeltaStretches(layout: striped, objects: [0, 2, 3, 8], covered: 0..<0).map(\.objects) == [[0, 2], [3], [8]])
        #expect(Array(AscendingUnion([1, 3, 5], [2, 3, 9])) == [1, 2, 3, 5, 9])
    }

    /// Whatever is asked for, each covered period and each object comes once, in order, and no stretch is long.
    @Test func nothingIsLeftOut() {
        var random = SeededRandom.forRun("stretches")
        for _ in 0..<200 {
            let layout = ImageLayout(order: 12, stripeUnit: 1024, stripeCount: UInt64(1 + random.below(3)))
            let objects = (0..<UInt64(3000)).filter { _ in random.oneIn(40) }
            let period = layout.objectSize * layout.stripeCount
            let end = UInt64(random.below(3000 * 4096))
            let covered = end / 3..<end
            let stretches = Array(DeltaStretches(layout: layout, objects: objects, covered: covered))
            #expect(stretches.flatMap(\.objects) == objects)
            var next: UInt64 = 0
            var seen: Set<UInt64> = []
            for stretch in stretches {
                #expect(stretch.periods.lowerBound >= next && stretch.periods.count <= Int(DeltaStretches.longest))
                next = stretch.periods.upperBound
                seen.formUnion(stretch.periods)
            }
            #expect(seen.isSuperset(of: covered.isEmpty ? 0..<0 : covered.lowerBound / period..<(covered.upperBound - 1) / period + 1))
        }
    }

    @Test func aReaderIsNotRunAhead() async throws {
        let begun = Mutex(0)
        let ahead = ReadAhead(width: 5, 0..<100) { number in
            begun.withLock { $0 += 1 }
            // The later ones are done first.
            if number % 5 == 0 { await Task.yield() }
            return number
        }
        for number in 0..<100 {
            #expect(try await ahead.next() == number)
            #expect(begun.withLock { $0 } <= number + 5)
        }
        #expect(try await ahead.next() == nil)
    }

    struct Failure: Error {}

    @Test func afterAFailureNothingComes() async throws {
        let ahead = ReadAhead(width: 3, 0..<10) { number in
            if number == 1 { throw Failure() }
            return number
        }
        #expect(try await ahead.next() == 0)
        await #expect(throws: Failure.self) { try await ahead.next() }
        #expect(try await ahead.next() == nil)
    }

    @Test func tasksAreBoundedAndTheFirstFailureCounts() async throws {
        let state = Mutex((running: 0, most: 0, done: 0))
        @Sendable func job() async {
            state.withLock { $0.running += 1; $0.most = max($0.most, $0.running) }
            for _ in 0..<5 { await Task.yield() }
            state.withLock { $0.running -= 1; $0.done += 1 }
        }
        try await withBoundedTasks(4) { add, settle in
            for _ in 0..<20 { try await add { await job() } }
            try await settle()
            #expect(state.withLock { $0.done } == 20)
            for _ in 0..<20 { try await add { await job() } }
        }
        #expect(state.withLock { $0.done } == 40 && state.withLock { $0.most } <= 4)
        await #expect(throws: Failure.self) {
            try await withBoundedTasks(2) { add, _ in
                try await add { throw Failure() }
                while true { try await add { await job() } }
            }
        }
    }
}
