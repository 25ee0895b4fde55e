import RBDImage
@testable import SnapshotDelta
import Testing

@Suite struct AbandonedObjectsTests {
    /// The base has 0 and 1, the new point 0 and 2; 3 came and went on the way; an attempt at a lost point marked all of 0 to 5.
    @Test func byMaps() throws {
        let base: [UInt8] = [1, 1, 0, 0]
        let states = try #require(ObjectDeltaMap(
            start: ObjectDeltaTests.revision(base),
            rest: [ObjectDeltaTests.revision([3, 0, 0, 1]), ObjectDeltaTests.revision([3, 0, 1, 0])]))
        let abandoned = AbandonedObjects(
            base: ObjectDeltaTests.map(base), baseCount: 4, revisions: [.init(states: states, objectCount: 4)])
        #expect(abandoned.numbers(head: ObjectDeltaTests.map([3, 1, 1, 1, 1, 1]), headCount: 6) == [4, 5])
        #expect(abandoned.numbers(head: ObjectDeltaTests.map([3, 3, 0, 0]), headCount: 4) == [])
    }

    /// In neither point, within the size of both.
    @Test func withinTheImage() throws {
        let states = try #require(ObjectDeltaMap(
            start: ObjectDeltaTests.revision([1, 0, 0]), rest: [ObjectDeltaTests.revision([3, 0, 1])]))
        let abandoned = AbandonedObjects(
            base: ObjectDeltaTests.map([3, 0, 0]), baseCount: 3, revisions: [.init(states: states, objectCount: 3)])
        #expect(abandoned.numbers(head: ObjectDeltaTests.map([3, 1, 1]), headCount: 3) == [1])
    }

    /// Where the source's maps say nothing every object is asked, but those behind the end.
    @Test func withoutSourceMaps() {
        let abandoned = AbandonedObjects(base: ObjectMap(count: 0), baseCount: 0, revisions: [.init(states: nil, objectCount: 2)])
        #expect(abandoned.numbers(head: ObjectDeltaTests.map([1, 1, 1]), headCount: 3) == [2])
    }

    /// Without maps of its own the sizes of the attempts tell how far they may have come.
    @Test func withoutMaps() {
        let abandoned = AbandonedObjects(base: nil, baseCount: 3, revisions: [.init(states: nil, objectCount: 2)])
        #expect(abandoned.numbers(head: nil, headCount: 5) == [3, 4])
        #expect(abandoned.numbers(head: nil, headCount: 3) == [])
    }
}
