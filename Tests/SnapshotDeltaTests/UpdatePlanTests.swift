@testable import CephCore
@testable import SnapshotDelta
import TestSupport
import Testing

@Suite struct UpdatePlanTests {
    /// Does to bytes what an OSD does; nil for a missing object.
    static func apply(_ update: ObjectUpdate, to object: [UInt8]?) -> [UInt8]? {
        var object = object
        func grow(_ size: Int) {
            object = (object ?? []) + Array(repeating: 0, count: max(0, size - (object?.count ?? 0)))
        }
        for step in update.steps {
            switch step {
            case .hint: break
            case .ensureExists: grow(0)
            case .assertExists: if object == nil { return nil }
            case .write(let data, let piece, let part, let offset):
                grow(Int(offset) + part.count)
                data.withPiece(piece) { bytes in
                    for index in part { object![Int(offset) + index - part.lowerBound] = bytes[index] }
                }
            case .zero(let range):
                guard let count = object.map({ UInt64($0.count) }), range.lowerBound < count else { continue }
                // What reaches the end is a truncation.
                if range.upperBound >= count { object!.removeLast(Int(count - range.lowerBound)) } else {
                    for byte in range { object![Int(byte)] = 0 }
                }
            case .truncate(let size):
                guard object != nil else { continue }
                grow(Int(size))
                object = Array(object!.prefix(Int(size)))
            case .remove: object = nil
            }
        }
        return object
    }

    /// What a read of ranges gives: less at the object's end.
    static func read(_ object: [UInt8], _ ranges: [Range<UInt64>]) -> ObjectData {
        ObjectData(copied: ranges.map { Array(object[Int($0.lowerBound.clamped(object))..<Int($0.upperBound.clamped(object))]) }, ranges: ranges)
    }

    private func patched(_ before: [UInt8], _ after: [UInt8], _ ranges: [Range<UInt64>]) -> [UInt8]? {
        let change = ObjectChange(
            existedAtStart: true, existsAtEnd: true, sizeAtEnd: UInt64(after.count), sizeAtStart: UInt64(before.count),
            ranges: ranges)
        let plan = UpdatePlan(change: change, data: Self.read(after, ranges), objectSize: 1 << 16)
        return Self.apply(plan.update, to: before)
    }

    @Test func anObjectThatShrankLosesItsTail() {
        let before = [UInt8](repeating: 1, count: 8192)
        // The last write ends exactly at the new size.
        let after = [UInt8](repeating: 2, count: 4096)
        #expect(patched(before, after, [0..<4096]) == after)
        #expect(patched(before, Array(before.prefix(4096)), []) == Array(before.prefix(4096)))
        #expect(patched(before, [], []) == [])
    }

    @Test func anObjectThatGrewByZeroes() {
        let before = [UInt8](repeating: 1, count: 100)
        let after = before + [UInt8](repeating: 0, count: 20_000)
        #expect(patched(before, after, [100..<20_100]) == after)
    }

    static func randomObject(_ random: inout SeededRandom) -> [UInt8] {
        var object: [UInt8] = []
        for _ in 0..<random.below(6) {
            object += [UInt8](repeating: random.oneIn(2) ? 0 : UInt8(1 + random.below(255)), count: 1 + random.below(9000))
        }
        return object
    }

    /// Any two versions and any ranges that cover their difference.
    @Test func randomVersions() {
        var random = SeededRandom.forRun("update plans")
        for _ in 0..<300 {
            let before = Self.randomObject(&random)
            var after = Self.randomObject(&random)
            // Mostly alike, so that ranges are in between.
            for byte in after.indices where byte < before.count && random.oneIn(2) == false && byte / 4096 % 2 == 0 { after[byte] = before[byte] }
            var differs = after.indices.map { $0 >= before.count || before[$0] != after[$0] }
            for _ in 0..<random.below(3) where !after.isEmpty {
                let start = random.below(after.count)
                for byte in start..<min(after.count, start + random.below(5000)) { differs[byte] = true }
            }
            #expect(patched(before, after, ModelObject.ranges(differs)) == after, "\(SeededRandom.hint)")
        }
    }

    /// A target that an attempt which was given up left anywhere between the base and the end.
    @Test func baseThatIsNotExact() {
        var random = SeededRandom.forRun("inexact bases")
        for _ in 0..<300 {
            let history = (0..<4).map { _ in Self.randomObject(&random) }
            let (base, after) = (history[0], history[3])
            let longest = history.map(\.count).max()!
            // Every byte that was another one at any point counts as changed, as a snapshot set has it.
            let differs = (0..<longest).map { byte in
                history.contains { (byte < $0.count ? $0[byte] : nil) != (byte < base.count ? base[byte] : nil) }
            }
            let change = ObjectChange(
                existedAtStart: true, existsAtEnd: true, sizeAtEnd: UInt64(after.count), sizeAtStart: UInt64(base.count),
                ranges: ModelObject.ranges(Array(differs.prefix(after.count))))
            let plan = UpdatePlan(
                change: change, data: Self.read(after, change.ranges), objectSize: 1 << 16, baseIsExact: false)
            for target in history { #expect(Self.apply(plan.update, to: target) == after, "\(SeededRandom.hint)") }
            if differs.prefix(after.count).allSatisfy({ $0 }) { #expect(Self.apply(plan.update, to: nil) == after) }
        }
    }

    @Test func wholeObjects() {
        var random = SeededRandom.forRun("whole objects")
        for _ in 0..<200 {
            let after = Self.randomObject(&random)
            let there = random.oneIn(2) ? nil : Self.randomObject(&random)
            let change = ObjectChange.whole(objectSize: 1 << 16)
            let plan = UpdatePlan(change: change, data: Self.read(after, change.ranges), objectSize: 1 << 16)
            #expect(Self.apply(plan.update, to: there) == after, "\(SeededRandom.hint)")
            #expect(plan.bytesWritten <= after.count)
        }
    }
}

extension UInt64 {
    fileprivate func clamped(_ object: [UInt8]) -> UInt64 { Swift.min(self, UInt64(object.count)) }
}
