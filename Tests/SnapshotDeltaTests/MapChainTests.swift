import RBDImage
@testable import SnapshotDelta
import TestSupport
import Testing

@Suite struct MapChainTests {
    typealias Image = ObjectDeltaTests.Image

    static func points(_ random: inout SeededRandom) -> [Image] {
        var image = Image()
        image.resize(to: 1 + random.below(80))
        return (0..<2 + random.below(4)).map { _ in
            for _ in 0..<random.below(30) {
                if random.oneIn(12) { image.resize(to: 1 + random.below(80)) }
                let object = random.below(image.map.count)
                if random.oneIn(3) { image.remove(object) } else { image.write(object) }
            }
            return image.snapshot()
        }
    }

    static func revision(_ point: Image) -> ObjectDeltaMap.Revision { ObjectDeltaTests.revision(point.map) }

    /// A target that follows every point of the source has the source's maps.
    @Test func everyPointCopied() throws {
        var random = SeededRandom.forRun("map chains")
        for _ in 0..<300 {
            let points = Self.points(&random)
            let base = random.below(points.count)
            let rest = points.indices[base...].dropFirst().map { index in
                MapChain.Revision(
                    states: ObjectDeltaMap(start: Self.revision(points[index - 1]), rest: [Self.revision(points[index])]),
                    objectCount: UInt64(points[index].map.count))
            }
            let chain = MapChain(base: ObjectDeltaTests.map(points[base].map), revisions: rest)
            let final = chain.final(), marked = chain.marked()
            #expect(final == points[base...].dropFirst().map { ObjectDeltaTests.map($0.map) }, "\(SeededRandom.hint)")
            // Before the copy nothing is missing that is there already or will be.
            var before = points[base].map
            for index in final.indices {
                #expect(marked[index].count == final[index].count)
                before = (0..<final[index].count).map { $0 < before.count ? before[$0] : 0 }
                for object in 0..<final[index].count {
                    #expect(marked[index][object] != .nonexistent || final[index][object] == .nonexistent && before[object] == 0)
                    if marked[index][object] != .nonexistent { before[object] = 1 }
                }
            }
        }
    }

    /// What is removed under a parent is made empty: it is there.
    @Test func emptiedObjects() throws {
        var (before, after) = (Image(), Image())
        before.resize(to: 3)
        for object in 0..<3 { before.write(object) }
        let base = before.snapshot()
        after = before
        after.remove(0)
        after.remove(2)
        let states = try #require(ObjectDeltaMap(start: Self.revision(base), rest: [Self.revision(after.snapshot())]))
        var chain = MapChain(base: ObjectMap(count: 3, filledWith: .existsClean), revisions: [.init(states: states, objectCount: 3)])
        chain.record(CopiedObject(number: 0, exists: [true]))
        chain.record(CopiedObject(number: 2, exists: [false]))
        let final = chain.final()[0]
        #expect([final[0], final[1], final[2]] == [.exists, .existsClean, .nonexistent])
    }

    /// The first copy of an image goes straight to the newest point: all that is there is new.
    @Test func firstCopy() throws {
        var random = SeededRandom.forRun("first copies")
        for _ in 0..<100 {
            let points = Self.points(&random)
            let states = try #require(ObjectDeltaMap(start: nil, rest: points.map(Self.revision)))
            let end = points[points.count - 1].map
            let chain = MapChain(base: ObjectMap(count: 0), revisions: [.init(states: states, objectCount: UInt64(end.count))])
            #expect(chain.final() == [ObjectDeltaTests.map(end.map { $0 == 0 ? 0 : 1 })], "\(SeededRandom.hint)")
        }
    }

    /// Without the source's maps, what the copy found decides.
    @Test func foundOut() {
        var chain = MapChain(base: ObjectDeltaTests.map([1, 1, 0, 1]), revisions: [.init(states: nil, objectCount: 5), .init(states: nil, objectCount: 4)])
        #expect(chain.marked() == [ObjectMap(count: 5, filledWith: .exists), ObjectMap(count: 4, filledWith: .exists)])
        chain.record(CopiedObject(number: 1, exists: [true, nil]))
        chain.record(CopiedObject(number: 2, exists: [true, false]))
        chain.record(CopiedObject(number: 3, exists: [false, nil]))
        chain.record(CopiedObject(number: 4, exists: [true, false]))
        #expect(chain.final() == [ObjectDeltaTests.map([3, 1, 1, 0, 1]), ObjectDeltaTests.map([3, 3, 0, 0])])
    }

    /// The source's map said an object exists, and it did not.
    @Test func vanished() throws {
        let states = try #require(ObjectDeltaMap(start: nil, rest: [ObjectDeltaTests.revision([1, 1, 0])]))
        var chain = MapChain(base: ObjectMap(count: 0), revisions: [.init(states: states, objectCount: 3)])
        chain.record(CopiedObject(number: 0, exists: [true]))
        chain.record(CopiedObject(number: 1, exists: [false]))
        #expect(chain.marked() == [ObjectDeltaTests.map([1, 1, 0])])
        #expect(chain.final() == [ObjectDeltaTests.map([1, 0, 0])])
    }

    /// What was changed before a copy that goes on stays changed, in its first revision alone.
    @Test func continued() throws {
        let (before, after) = (ObjectDeltaTests.revision([3, 3, 3, 0]), ObjectDeltaTests.revision([3, 1, 0, 0]))
        let states = try #require(ObjectDeltaMap(start: before, rest: [after]))
        let unchanged = try #require(ObjectDeltaMap(start: after, rest: [ObjectDeltaTests.revision([3, 3, 0, 0])]))
        var chain = MapChain(
            base: ObjectDeltaTests.map([1, 3, 1, 0]),
            revisions: [.init(states: states, objectCount: 4), .init(states: unchanged, objectCount: 4)], continues: true)
        #expect(chain.marked() == [ObjectDeltaTests.map([1, 1, 1, 0]), ObjectDeltaTests.map([3, 3, 3, 0])])
        chain.record(CopiedObject(number: 1, exists: [true, nil]))
        chain.record(CopiedObject(number: 2, exists: [false, nil]))
        #expect(chain.final() == [ObjectDeltaTests.map([1, 1, 0, 0]), ObjectDeltaTests.map([3, 3, 0, 0])])
    }
}
