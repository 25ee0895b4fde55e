import RBDImage
import TestSupport
import Testing
@testable import SnapshotDelta

/// Sets of objects, against ones of numbers.
@Suite struct ObjectSetTests {
    @Test func asSetsOfNumbers() throws {
        var random = SeededRandom.forRun("object sets")
        for count in [0, 1, 31, 32, 33, 200] {
            var maps: [ObjectMap] = []
            for _ in 0..<2 {
                var map = ObjectMap(count: count)
                for number in 0..<count { map[number] = ObjectState(rawValue: UInt8(random.below(4))) }
                maps.append(map)
            }
            let written = maps.map { map in (0..<count).filter { map[$0] == .exists }.map(UInt64.init) }
            let sets = maps.map(ObjectSet.init(writtenIn:))
            #expect(sets.map { Array($0.members) } == written, "\(SeededRandom.hint)")
            #expect(Array(sets[0].intersection(sets[1]).members) == written[0].filter(written[1].contains))
            var union = ObjectSet()
            for set in sets { union.formUnion(set) }
            #expect(Array(union.members) == Set(written[0] + written[1]).sorted())
            #expect((0..<UInt64(count) + 40).allSatisfy { union.contains($0) == (written[0] + written[1]).contains($0) })
            #expect(union.isEmpty == (written[0] + written[1]).isEmpty)
            #expect(Array(ObjectSet(first: UInt64(count)).members) == Array(0..<UInt64(count)))
            #expect(!ObjectSet(first: UInt64(count)).contains(UInt64(count)))
            let present = (0..<count).filter { maps[0][$0] != .nonexistent }.map(UInt64.init)
            #expect(Array(ObjectSet(presentIn: maps[0]).members) == present, "\(SeededRandom.hint)")

            let delta = try #require(ObjectDeltaMap(
                start: .init(map: maps[0], objectCount: count), rest: [.init(map: maps[1], objectCount: count)]))
            #expect(Array(delta.touchedSet.members) == Array(delta.touched))
            #expect(Array(delta.clean.members) == (0..<count).filter { delta[$0] == .data }.map(UInt64.init))
        }
    }
}
