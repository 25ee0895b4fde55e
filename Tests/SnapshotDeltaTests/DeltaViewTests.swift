@testable import SnapshotDelta
import RBDImage
import TestSupport
import Testing

/// Which extents of an image an object's change is: judged by bytes.
@Suite struct DeltaViewTests {
    typealias Extent = SnapshotDelta.Extent

    private func view(_ layout: ImageLayout, size: UInt64, _ start: UInt64 = 0, _ end: UInt64 = 0) -> DeltaView {
        DeltaView(layout: layout, size: size, startOverlap: start, endOverlap: end)
    }

    @Test func aPlainObject() {
        let view = view(ImageLayout(order: 12), size: 10_000)
        let shrunk = ObjectChange(existedAtStart: true, existsAtEnd: true, sizeAtEnd: 1000, sizeAtStart: 3000, ranges: [10..<20, 500..<1000])
        #expect(view.extents(of: shrunk, object: 1).inOrder() == [
            Extent(range: 4106..<4116, isHole: false), Extent(range: 4596..<5096, isHole: false), Extent(range: 5096..<7096, isHole: true),
        ])
        #expect(view.extents(of: .whole(objectSize: 4096, sizeAtEnd: 100), object: 1) == [Extent(range: 4096..<4196, isHole: false)])
        #expect(view.extents(of: .gone(sizeAtStart: 50), object: 0) == [Extent(range: 0..<50, isHole: true)])
        #expect(view.extents(of: .neverThere, object: 0) == [])
        // Nothing beyond the image's end.
        #expect(view.extents(of: .whole(objectSize: 4096, sizeAtEnd: 4096), object: 2) == [Extent(range: 8192..<10_000, isHole: false)])
    }

    @Test func neighboursOfOneKindBecomeOne() {
        let view = view(ImageLayout(order: 14, stripeUnit: 4096, stripeCount: 2), size: 1 << 20)
        let both = [0, 1].flatMap { view.extents(of: .whole(objectSize: 1 << 14, sizeAtEnd: 8192), object: $0) }
        #expect(both.inOrder() == [Extent(range: 0..<16_384, isHole: false)])
        #expect(view.extents(of: .whole(objectSize: 1 << 14, sizeAtEnd: 8192), object: 1) == [
            Extent(range: 4096..<8192, isHole: false), Extent(range: 12_288..<16_384, isHole: false),
        ])
    }

    /// Random objects at two points, some absent, with a parent that shows less at one of them: what is told makes one the other.
    @Test func withAParent() {
        var random = SeededRandom.forRun("delta view")
        for _ in 0..<1500 {
            let layout = random.oneIn(2) ? ImageLayout(order: 9) : ImageLayout(order: 10, stripeUnit: 512, stripeCount: 2)
            let objects = 4
            let most = layout.objectSize * UInt64(objects)
            let sizes = (start: UInt64(random.below(Int(most + 1))), end: UInt64(random.below(Int(most + 1))))
            let overlaps = (start: UInt64(random.below(Int(sizes.start + 1))), end: UInt64(random.below(Int(sizes.end + 1))))
            var start = [UInt8](repeating: 0, count: Int(most))
            var end = start
            // The parent is 9 throughout; what an object has is 1 at the start and 2 at the end.
            for offset in 0..<Int(overlaps.start) { start[offset] = 9 }
            for offset in 0..<Int(overlaps.end) { end[offset] = 9 }
            var told: [Extent] = []
            let view = view(layout, size: sizes.end, overlaps.start, overlaps.end)
            for number in 0..<UInt64(objects) {
                let had = random.oneIn(2) ? UInt64(random.below(Int(layout.objectSize + 1))) : nil
                let has = random.oneIn(2) ? UInt64(random.below(Int(layout.objectSize + 1))) : nil
                put(had, 1, layout, number, sizes.start, &start)
                put(has, 2, layout, number, sizes.end, &end)
                let change: ObjectChange = switch (had, has) {
                case (nil, nil): .neverThere
                case (let had?, nil): .gone(sizeAtStart: random.oneIn(2) ? had : layout.objectSize)
                case (nil, let has?): .whole(objectSize: layout.objectSize, sizeAtEnd: has)
                case (let had?, let has?): ObjectChange(
                    existedAtStart: true, existsAtEnd: true, sizeAtEnd: has, sizeAtStart: had, ranges: has == 0 ? [] : [0..<has])
                }
                told += view.extents(of: change, object: number)
            }
            check(told.inOrder(), start, end, sizes, SeededRandom.hint)
        }
    }

    /// Gives an object bytes, or leaves it absent.
    private func put(_ size: UInt64?, _ value: UInt8, _ layout: ImageLayout, _ number: UInt64, _ limit: UInt64, _ image: inout [UInt8]) {
        guard let size else { return }
        for offset in 0..<layout.objectSize {
            let place = layout.imageExtents(of: number, offset..<offset + 1)[0].lowerBound
            if place < limit { image[Int(place)] = offset < size ? value : 0 }
        }
    }

    private func check(_ told: [Extent], _ start: [UInt8], _ end: [UInt8], _ sizes: (start: UInt64, end: UInt64), _ hint: String) {
        var image = start
        for offset in Int(min(sizes.start, sizes.end))..<image.count { image[offset] = 0 }
        var last: UInt64 = 0
        for extent in told {
            guard extent.range.lowerBound >= last, extent.range.upperBound <= sizes.end, !extent.range.isEmpty else {
                Issue.record("\(extent) out of place; \(hint)")
                return
            }
            last = extent.range.upperBound
            for offset in extent.range { image[Int(offset)] = extent.isHole ? 0 : end[Int(offset)] }
        }
        #expect(image[0..<Int(sizes.end)] == end[0..<Int(sizes.end)], "\(hint)")
    }
}
