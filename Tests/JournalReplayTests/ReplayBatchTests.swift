@testable import JournalReplay
import RBDImage
import TestSupport
import Testing

@Suite struct ReplayBatchTests {
    private static func plain(_ size: UInt64 = 1 << 20) -> ReplayBatch { ReplayBatch(ImageLayout(order: 16), size: size) }

    @Test func writesGoToTheirObjects() {
        var batch = Self.plain()
        batch.write([1, 2, 3, 4], at: (1 << 16) - 2)
        batch.write([5], at: 1 << 16)
        #expect(batch.objects[0]?.edits == [.write(offset: 65534, [1, 2])])
        #expect(batch.objects[1]?.edits == [.write(offset: 0, [3, 4]), .write(offset: 0, [5])])
        #expect(batch.bytes == 5 && batch.count == 3)
    }

    @Test func beyondTheEnd() {
        var batch = Self.plain(100)
        batch.write([1, 2], at: 99)
        batch.write([3], at: 100)
        batch.write([4], at: .max)
        batch.discard(.init(offset: .max - 1, length: 8))
        #expect(batch.objects.count == 1 && batch.objects[0]?.edits == [.write(offset: 99, [1])])
    }

    @Test func discards() {
        var batch = Self.plain()
        batch.discard(.init(offset: 100, length: (3 << 16) - 200))
        #expect(batch.objects[0]?.edits == [.truncate(100)])
        #expect(batch.objects[1]?.edits == [.remove])
        #expect(batch.objects[2]?.edits == [.zero(0..<(1 << 16) - 100)])
    }

    /// The edges that are not aligned stay as they are.
    @Test func granularity() {
        var batch = Self.plain()
        batch.discard(.init(offset: 100, length: 20_000, granularity: 4096))
        #expect(batch.objects[0]?.edits == [.zero(4096..<16384)])
        batch = Self.plain()
        batch.discard(.init(offset: 100, length: 3000, granularity: 4096))
        #expect(batch.isEmpty)
        // Whole objects: the end of one counts as aligned, wherever it begins.
        batch = Self.plain()
        batch.discard(.init(offset: 100, length: 1 << 17, granularity: .max))
        #expect(batch.objects[0]?.edits == [.truncate(100)] && batch.objects[1]?.edits == [.remove] && batch.objects[2] == nil)
    }

    @Test func removedAndWritten() {
        var edits = ObjectEdits()
        edits.add(.write(offset: 0, [1]))
        edits.add(.remove)
        #expect(edits.removes && !edits.creates)
        edits.add(.zero(0..<5))
        #expect(edits.edits == [.remove])
        edits.add(.write(offset: 3, [2]))
        #expect(edits.edits == [.truncate(0), .write(offset: 3, [2])] && edits.creates && !edits.removes)
    }

    @Test func patterns() {
        let layout = ImageLayout(order: 16, stripeUnit: 4096, stripeCount: 2)
        var batch = ReplayBatch(layout, size: 1 << 20)
        batch.writeSame(.init(offset: 4000, length: 300, pattern: [1, 2, 3]))
        // 96 bytes, a multiple of the pattern; then 204 in the other object.
        #expect(batch.objects[0]?.edits == [.writeSame(4000..<4096, pattern: [1, 2, 3])])
        #expect(batch.objects[1]?.edits == [.writeSame(0..<204, pattern: [1, 2, 3])])
        batch = ReplayBatch(layout, size: 1 << 20)
        batch.writeSame(.init(offset: 4094, length: 9, pattern: [1, 2, 3]))
        #expect(batch.objects[0]?.edits == [.write(offset: 4094, [1, 2])])
        #expect(batch.objects[1]?.edits == [.writeSame(0..<6, pattern: [3, 1, 2]), .write(offset: 6, [3])])
    }

    /// Applied to objects in memory, the batch gives what the events give to an image in memory.
    @Test func equalsAModel() {
        var random = SeededRandom.forRun("batch")
        for _ in 0..<300 {
            let unit: UInt64 = random.oneIn(2) ? 4096 : 512 << UInt64(random.below(3))
            let layout = ImageLayout(order: 12, stripeUnit: unit, stripeCount: UInt64(1 + random.below(4)))
            let size = 1 + random.below(100_000)
            var image = [UInt8](repeating: 0, count: size)
            var batch = ReplayBatch(layout, size: UInt64(size))
            for step in 1...20 {
                let start = random.below(size), count = random.below(9000)
                let range = start..<min(start + count, size)
                switch random.below(3) {
                case 0:
                    batch.write([UInt8](repeating: UInt8(step), count: count)[...], at: UInt64(start))
                    for index in range { image[index] = UInt8(step) }
                case 1:
                    batch.discard(.init(offset: UInt64(start), length: UInt64(count)))
                    for index in range { image[index] = 0 }
                default:
                    let pattern = (0..<(1 + random.below(5))).map { UInt8(100 + $0 + step) }
                    batch.writeSame(.init(offset: UInt64(start), length: UInt64(count), pattern: pattern[...]))
                    for index in range { image[index] = pattern[(index - start) % pattern.count] }
                }
            }
            var copy = [UInt8](repeating: 0, count: size)
            for (object, edits) in batch.objects {
                let content = edits.edits.reduce(into: [UInt8](repeating: 0, count: 4096)) { $1.apply(to: &$0) }
                for extent in layout.objectExtents(of: 0..<UInt64(size)) where extent.object == object {
                    for index in 0..<extent.range.count {
                        copy[Int(extent.imageOffset) + index] = content[Int(extent.range.lowerBound) + index]
                    }
                }
            }
            #expect(copy == image, "\(layout) \(SeededRandom.hint)")
        }
    }

    /// What waits for an object keeps its place, and an entry is done with once all its objects are.
    @Test func waves() {
        var batch = Self.plain()
        let counts = [
            batch.add(7) { $0.write([1, 2], at: (1 << 16) - 1) }, batch.add(8) { $0.write([3], at: 1 << 16) },
            batch.add(9) { $0.discard(.init(offset: 1 << 20, length: 5)) },
        ]
        #expect(counts == [2, 1, 0] && batch.entries == [0: [7], 1: [7, 8]])
        var waves = ReplayWaves()
        for (number, count) in zip(7..., counts) where count > 0 { waves.open(number, objects: count) }
        weak var weakly: Held?
        do {
            let held = Held()
            weakly = held
            waves.hold(held)
        }
        let first = batch.split(without: [1])
        #expect(first.objects.keys.sorted() == [0] && first.bytes == 1 && batch.objects.keys.sorted() == [1] && batch.bytes == 2)
        waves.begin(first)
        _ = batch.add(10) { $0.write([4], at: 0) }
        waves.open(10, objects: 1)
        #expect(waves.objects == [0] && waves.bytes == 1)
        let second = batch.split(without: waves.objects)
        waves.begin(second)
        #expect(second.objects[1]?.edits == [.write(offset: 0, [2]), .write(offset: 0, [3])] && batch.objects.keys.sorted() == [0])
        #expect(waves.end(first, nil).isEmpty && weakly != nil)
        #expect(waves.end(second, nil).sorted() == [7, 8] && weakly == nil && waves.count == 0 && waves.bytes == 0)
        let third = batch.split(without: waves.objects)
        waves.begin(third)
        #expect(waves.end(third, CancellationError()).isEmpty && batch.isEmpty)
        #expect(throws: CancellationError.self) { try waves.check() }
    }

    private final class Held: Sendable {}

    /// What snapshots were called when another one was made.
    @Test func earlierNames() {
        func names(_ operations: [JournalEvent.Operation], failing: Int? = nil) -> SnapshotNames {
            var names = SnapshotNames(since: "point")
            for (id, operation) in operations.enumerated() {
                names.add(.operation(id: UInt64(id), operation))
                names.add(.operationFinish(.init(id: UInt64(id), result: id == failing ? -17 : 0)))
            }
            return names
        }
        func rename(_ id: UInt64, _ from: String, _ to: String) -> JournalEvent.Operation {
            .snapshotRename(.init(id: id, from: from, to: to))
        }
        // Before the point does not count, nor do those that are younger.
        let swapped = names([
            .snapshotRemove(.init("old")), rename(4, "x", "y"), .snapshotCreate(.init("point")), rename(4, "a", "passing"),
            rename(5, "b", "a"), .snapshotCreate(.init("young")), rename(4, "passing", "b"), rename(9, "young", "younger"),
            .snapshotRemove(.init("younger")), .snapshotRemove(.init("point")),
        ])
        #expect(!swapped.isOneGone && swapped.names([4: "b", 5: "a", 6: "c"]) == [4: "a", 5: "b", 6: "c"])
        #expect(names([.snapshotRemove(.init("a"))]).isOneGone)
        // That could not be made since there was one.
        #expect(names([.snapshotCreate(.init("a")), .snapshotRemove(.init("a"))], failing: 0).isOneGone)
        #expect(!names([.snapshotCreate(.init("a")), .snapshotRemove(.init("a"))]).isOneGone)
    }

    @Test func ledgers() {
        var ledger = ReplayLedger(after: .init(), splayWidth: 2)
        let numbers = (0..<4).map { ledger.begin(JournalPosition(object: UInt64($0 % 2), tag: 1, entry: UInt64($0))) }
        ledger.finish(numbers[1])
        ledger.finish(numbers[3])
        #expect(ledger.committed.newest == nil && ledger.count == 4)
        ledger.finish(numbers[0])
        #expect(ledger.committed.newest?.entry == 1 && ledger.count == 2)
        ledger.finish(numbers[2])
        #expect(ledger.committed.positions.map(\.entry) == [3, 2] && ledger.count == 0)
    }
}

extension ObjectEdit {
    /// The change of an object in memory.
    fileprivate func apply(to bytes: inout [UInt8]) {
        switch self {
        case .write(let offset, let data): for (index, byte) in data.enumerated() { bytes[Int(offset) + index] = byte }
        case .writeSame(let range, let pattern):
            for index in 0..<range.count { bytes[Int(range.lowerBound) + index] = pattern[index % pattern.count] }
        case .zero(let range): for index in range { bytes[Int(index)] = 0 }
        case .truncate(let size): for index in Int(size)..<bytes.count { bytes[index] = 0 }
        case .remove: for index in bytes.indices { bytes[index] = 0 }
        }
    }
}
