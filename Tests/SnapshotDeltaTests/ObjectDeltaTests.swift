import RBDImage
@testable import SnapshotDelta
import TestSupport
import Testing

@Suite struct ObjectDeltaTests {
    static func map(_ states: [UInt8]) -> ObjectMap {
        var map = ObjectMap(count: states.count)
        for (index, state) in states.enumerated() where state != 0 { map[index] = ObjectState(rawValue: state) }
        return map
    }

    static func revision(_ states: [UInt8], _ count: Int? = nil) -> ObjectDeltaMap.Revision {
        .init(map: map(states), objectCount: count ?? states.count)
    }

    static func states(_ delta: ObjectDeltaMap) -> [UInt8] { (0..<delta.count).map { delta[$0].rawValue } }

    /// All four map states, in the older point's own map.
    @Test func startMap() throws {
        let delta = try #require(ObjectDeltaMap(start: Self.revision([0, 1, 2, 3])))
        #expect(Self.states(delta) == [0, 1, 3, 1])
    }

    /// All four map states, seen for the first time in a later revision.
    @Test func newObjects() throws {
        let fromNothing = try #require(ObjectDeltaMap(start: nil, rest: [Self.revision([0, 1, 2, 3])]))
        #expect(Self.states(fromNothing) == [0, 3, 3, 3])
        let grown = try #require(ObjectDeltaMap(start: Self.revision([1]), rest: [Self.revision([3, 0, 1, 2, 3])]))
        #expect(Self.states(grown) == [1, 0, 3, 3, 3])
    }

    /// Previous state and map state to the next one: 0 hole, 1 data, 2 hole updated, 3 data updated.
    static let transitions: [[UInt8]] = [[0, 3, 3, 3], [2, 3, 3, 1], [2, 3, 3, 3], [2, 3, 3, 3]]

    @Test func everyTransition() throws {
        for previous in 0..<4 {
            for state in 0..<4 {
                // Two steps that lead to each previous state.
                let paths: [[UInt8]] = [[0, 0], [1, 3], [1, 0], [1, 1]]
                let path = paths[previous]
                let delta = try #require(ObjectDeltaMap(
                    start: Self.revision([path[0]]), rest: [Self.revision([path[1]]), Self.revision([UInt8(state)])]))
                #expect(Self.states(delta) == [Self.transitions[previous][state]], "\(previous) then \(state)")
            }
        }
    }

    @Test func shrunkAndGrownImages() throws {
        let small = Self.revision([3]), large = Self.revision([3, 3, 1])
        // What lies beyond a smaller end is gone for a copy, and not in a comparison at all.
        let shrunk = try #require(ObjectDeltaMap(start: large, rest: [small]))
        #expect(Self.states(shrunk) == [1, 2, 2])
        #expect(Self.states(try #require(ObjectDeltaMap(start: large, rest: [small], for: .comparison))) == [1])
        let both = try #require(ObjectDeltaMap(start: large, rest: [small, large]))
        #expect(Self.states(both) == [1, 3, 3])
        #expect(Self.states(try #require(ObjectDeltaMap(start: large, rest: [small, large], for: .comparison))) == [1, 3, 3])
        let lost = Self.revision([3, 0, 1])
        #expect(Self.states(try #require(ObjectDeltaMap(start: large, rest: [small, lost], for: .comparison))) == [1, 2, 3])
        // A map longer than its revision counts up to the revision's objects.
        let cut = try #require(ObjectDeltaMap(start: nil, rest: [Self.revision([1, 1, 1], 2)]))
        #expect(Self.states(cut) == [3, 3])
    }

    @Test func objectsThatCameAndWent() throws {
        let history = [Self.revision([1]), Self.revision([0])]
        #expect(Self.states(try #require(ObjectDeltaMap(start: Self.revision([0]), rest: history))) == [2])
        #expect(Self.states(try #require(ObjectDeltaMap(start: Self.revision([0]), rest: history, for: .comparison))) == [0])
        #expect(Self.states(try #require(ObjectDeltaMap(start: nil, rest: history))) == [2])
        #expect(Self.states(try #require(ObjectDeltaMap(start: nil, rest: history, for: .comparison))) == [0])
        let back = [Self.revision([1]), Self.revision([3])]
        #expect(Self.states(try #require(ObjectDeltaMap(start: Self.revision([0]), rest: back, for: .comparison))) == [3])
    }

    @Test func aMapShorterThanItsRevisionIsNotTrusted() {
        #expect(ObjectDeltaMap(start: Self.revision([1], 2)) == nil)
        #expect(ObjectDeltaMap(start: nil, rest: [Self.revision([1], 2)]) == nil)
        #expect(ObjectDeltaMap(start: Self.revision([1]), rest: [Self.revision([1]), Self.revision([1], 2)]) == nil)
    }

    @Test func empty() throws {
        let delta = try #require(ObjectDeltaMap(start: nil))
        #expect(delta.count == 0 && delta.touched.isEmpty && delta.presentCount == 0)
    }
}

extension ObjectDeltaTests {
    /// The rules object by object, as the tables have them.
    static func model(start: (states: [UInt8], count: Int)?, rest: [(states: [UInt8], count: Int)], comparison: Bool) -> [UInt8] {
        var vector: [UInt8] = start.map { point in point.states.prefix(point.count).map { [0, 1, 3, 1][Int($0)] } } ?? []
        for (index, revision) in rest.enumerated() {
            let isLast = index == rest.count - 1
            if comparison && start == nil && !isLast { continue }
            if comparison && isLast { vector.removeLast(max(0, vector.count - revision.count)) }
            let holesStay = comparison && !isLast
            for object in vector.indices {
                let state = object < revision.count ? revision.states[object] : 0
                if holesStay && vector[object] == 0 { continue }
                vector[object] = transitions[Int(vector[object])][Int(state)]
            }
            while vector.count < revision.count { vector.append(holesStay ? 0 : [0, 3, 3, 3][Int(revision.states[vector.count])]) }
        }
        return vector
    }

    @Test(arguments: [false, true]) func randomMapsAgainstTheTables(_ comparison: Bool) throws {
        var random = SeededRandom.forRun("delta tables \(comparison)")
        func point() -> (states: [UInt8], count: Int) {
            let count = random.below(140)
            return ((0..<count + random.below(40)).map { _ in UInt8(random.below(4)) }, count)
        }
        for _ in 0..<600 {
            let start = random.oneIn(4) ? nil : point()
            let rest = (0..<1 + random.below(5)).map { _ in point() }
            let purpose: ObjectDeltaMap.Purpose = comparison ? .comparison : .copy
            let delta = try #require(ObjectDeltaMap(
                start: start.map { Self.revision($0.states, $0.count) }, rest: rest.map { Self.revision($0.states, $0.count) },
                for: purpose))
            let expected = Self.model(start: start, rest: rest, comparison: comparison)
            #expect(Self.states(delta) == expected, "\(SeededRandom.hint)")
            #expect(Array(delta.touched) == expected.indices.filter { expected[$0] >= 2 }.map(UInt64.init))
            #expect(delta.touchedCount == expected.count { $0 >= 2 } && delta.presentCount == expected.count { $0 & 1 == 1 })
        }
    }

    /// An image whose maps are kept as librbd keeps them.
    struct Image {
        /// A number for each object's content, nil where it is absent.
        var content: [Int?] = []
        var map: [UInt8] = []
        private var writes = 0

        mutating func write(_ object: Int) {
            writes += 1
            content[object] = writes
            map[object] = 1
        }
        mutating func remove(_ object: Int) {
            content[object] = nil
            map[object] = 0
        }
        mutating func resize(to count: Int) {
            content = Array((content + Array(repeating: nil, count: count)).prefix(count))
            map = Array((map + Array(repeating: 0, count: count)).prefix(count))
        }
        mutating func snapshot() -> Image {
            defer { map = map.map { $0 == 1 ? 3 : $0 } }
            return self
        }
    }

    /// Whatever happened between two points: what differs is marked, what nobody touched is not.
    @Test(arguments: [false, true]) func randomHistories(_ comparison: Bool) throws {
        var random = SeededRandom.forRun("delta histories \(comparison)")
        for _ in 0..<150 {
            var image = Image()
            image.resize(to: 1 + random.below(80))
            var points: [Image] = []
            var touched: [Set<Int>] = [[]]
            for _ in 0..<2 + random.below(5) {
                for _ in 0..<random.below(30) {
                    if random.oneIn(12) {
                        let count = 1 + random.below(80)
                        touched[touched.count - 1].formUnion(min(count, image.map.count)..<max(count, image.map.count))
                        image.resize(to: count)
                    }
                    let object = random.below(image.map.count)
                    touched[touched.count - 1].insert(object)
                    if random.oneIn(3) { image.remove(object) } else { image.write(object) }
                }
                points.append(image.snapshot())
                touched.append([])
            }
            for first in points.indices {
                for last in points.indices where last > first {
                    let start = points[first], end = points[last]
                    let delta = try #require(ObjectDeltaMap(
                        start: Self.revision(start.map), rest: points[first + 1...last].map { Self.revision($0.map) },
                        for: comparison ? .comparison : .copy))
                    let between = touched[first + 1...last].reduce(into: Set()) { $0.formUnion($1) }
                    #expect(delta.count >= end.map.count)
                    for object in 0..<delta.count {
                        let before = object < start.content.count ? start.content[object] : nil
                        let after = object < end.content.count ? end.content[object] : nil
                        let isTouched = delta[object].rawValue >= 2
                        #expect((delta[object].rawValue & 1 == 1) == (after != nil), "\(SeededRandom.hint)")
                        #expect(isTouched || before == after, "\(SeededRandom.hint)")
                        #expect(!isTouched || between.contains(object), "\(SeededRandom.hint)")
                    }
                }
            }
        }
    }
}
