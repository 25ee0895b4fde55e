@testable import CephCore
@testable import SnapshotDelta
import TestSupport
import Testing

@Suite struct SnapshotSetDiffTests {
    static let head = ObjectClone.headID

    private func change(_ object: ModelObject, _ from: UInt64, _ to: UInt64) -> ObjectChange {
        object.snapshotSet.change(from: from, to: to, objectSize: 100)
    }

    @Test func oneWriteAfterASnapshot() {
        var object = ModelObject()
        _ = object.write(0..<50, 1, [])
        _ = object.write(10..<20, 2, [5])
        #expect(change(object, 5, Self.head) == ObjectChange(
            existedAtStart: true, existsAtEnd: true, sizeAtEnd: 50, sizeAtStart: 50, ranges: [10..<20]))
        #expect(change(object, 5, 5).isUnchanged)
        #expect(change(object, 0, 5) == .whole(objectSize: 100, sizeAtEnd: 50))
    }

    @Test func shrunkGrownAndRemoved() {
        var object = ModelObject()
        _ = object.write(0..<50, 1, [])
        _ = object.truncate(30, [5])
        #expect(change(object, 5, Self.head) == ObjectChange(
            existedAtStart: true, existsAtEnd: true, sizeAtEnd: 30, sizeAtStart: 50, ranges: []))
        _ = object.write(60..<70, 2, [7, 5])
        // The gap that the write left is part of it.
        #expect(change(object, 7, Self.head).ranges == [30..<70])
        _ = object.remove([9, 7, 5])
        #expect(change(object, 9, Self.head) == .gone(sizeAtStart: 70))
        #expect(object.snapshotSet.clones.count == 3)
        _ = object.write(0..<10, 3, [11, 9, 7, 5])
        #expect(change(object, 9, 11) == .gone(sizeAtStart: 70))
        #expect(change(object, 11, Self.head) == .whole(objectSize: 100, sizeAtEnd: 10))
        #expect(change(object, 9, Self.head).ranges == [0..<10])
    }

    @Test func neverThere() {
        let object = ObjectSnapshotSet(sequence: 9, clones: [])
        #expect(object.change(from: 4, to: Self.head, objectSize: 100) == .neverThere)
    }

    /// An overlap that reaches beyond the smaller revision is not believed there.
    @Test func overlapsAreClippedToBothSizes() {
        let set = ObjectSnapshotSet(sequence: 5, clones: [
            ObjectClone(id: 5, snapshots: [5], size: 20, overlap: [0..<90]),
            ObjectClone(id: Self.head, snapshots: [], size: 60, overlap: []),
        ])
        #expect(set.change(from: 5, to: Self.head, objectSize: 100).ranges == [20..<60])
    }

    /// An object with a history of writes under a growing and shrinking set of snapshots.
    struct History {
        var object = ModelObject()
        var live: [UInt64] = []
        /// What the object was when each live snapshot was taken.
        var truth: [UInt64: [UInt8]?] = [:]
        /// Bytes touched since each live snapshot was taken.
        var touchedSince: [UInt64: Set<Int>] = [:]
        private var lastID: UInt64 = 0

        mutating func step(_ random: inout SeededRandom) {
            if random.oneIn(4) {
                lastID += 1 + UInt64(random.below(3))
                live.append(lastID)
                truth[lastID] = .some(object.head)
                touchedSince[lastID] = []
            } else if random.oneIn(8), !live.isEmpty {
                let gone = live.remove(at: random.below(live.count))
                object.trim(gone)
                truth[gone] = nil
                touchedSince[gone] = nil
            } else {
                let touched = mutate(Array(live.reversed()), &random)
                for id in live { touchedSince[id]!.formUnion(touched) }
            }
        }

        mutating func mutate(_ context: [UInt64], _ random: inout SeededRandom) -> Set<Int> {
            let start = random.below(60), range = start..<start + 1 + random.below(30)
            return switch random.below(10) {
            case 0: object.remove(context)
            case 1: object.truncate(random.below(90), context)
            case 2, 3: object.zero(range, context)
            default: object.write(range, UInt8(1 + random.below(255)), context)
            }
        }
    }

    /// Everything that differs is found, and nothing is found that was not touched.
    @Test func randomHistories() {
        var random = SeededRandom.forRun("snapshot sets")
        var pairs = 0
        for _ in 0..<400 {
            var history = History()
            for _ in 0..<40 { history.step(&random) }
            let points = history.live + [Self.head]
            for id in history.live { #expect(history.object.read(at: id) == history.truth[id]!, "\(SeededRandom.hint)") }
            for (index, start) in points.dropLast().enumerated() {
                for end in points[(index + 1)...] {
                    let before = history.truth[start]!
                    let after = end == Self.head ? history.object.head : history.truth[end]!
                    verify(change(history.object, start, end), before, after)
                    guard before != nil, let after else { continue }
                    pairs += 1
                    if end == Self.head {
                        let expected = ModelObject.ranges((0..<after.count).map { history.touchedSince[start]!.contains($0) })
                        #expect(change(history.object, start, end).ranges == expected, "\(SeededRandom.hint)")
                    }
                }
            }
        }
        #expect(pairs > 1000)
    }

    private func verify(_ change: ObjectChange, _ before: [UInt8]?, _ after: [UInt8]?) {
        #expect(change.existedAtStart == (before != nil), "\(SeededRandom.hint)")
        #expect(change.existsAtEnd == (after != nil), "\(SeededRandom.hint)")
        guard let before, let after else { return }
        #expect(change.sizeAtStart == UInt64(before.count) && change.sizeAtEnd == UInt64(after.count), "\(SeededRandom.hint)")
        for byte in after.indices where byte >= before.count || before[byte] != after[byte] {
            #expect(change.ranges.contains { $0.contains(UInt64(byte)) }, "byte \(byte) \(SeededRandom.hint)")
        }
        #expect(zip(change.ranges, change.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        #expect((change.ranges.last?.upperBound ?? 0) <= UInt64(after.count))
    }

    /// A replica is written with contexts that leave out the newest snapshots: history is filled in from behind.
    @Test func contextsThatGoBack() {
        var random = SeededRandom.forRun("older contexts")
        for _ in 0..<400 {
            var history = History()
            let ids = (1...UInt64(4)).map { $0 * 3 }
            for _ in 0..<12 {
                let context = Array(ids.prefix(random.below(ids.count + 1)).reversed())
                _ = history.mutate(context, &random)
            }
            let points = ids + [Self.head]
            for (index, start) in points.enumerated() {
                for end in points[index...] {
                    let before = history.object.read(at: start), after = history.object.read(at: end)
                    verify(change(history.object, start, end), before, after)
                }
            }
        }
    }
}
