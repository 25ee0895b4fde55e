import RBDImage
import TestSupport
import Testing

@Suite struct ImageLayoutTests {
    /// Where every stripe unit of an image lies, by dealing them out one by one.
    struct Model {
        let layout: ImageLayout
        /// Object and offset of each unit, in image order.
        let units: [(object: UInt64, offset: UInt64)]

        init(_ layout: ImageLayout, units count: Int) {
            self.layout = layout
            var units: [(UInt64, UInt64)] = []
            var set: UInt64 = 0
            while units.count < count {
                for row in 0..<layout.objectSize / layout.stripeUnit {
                    for column in 0..<layout.stripeCount { units.append((set * layout.stripeCount + column, row * layout.stripeUnit)) }
                }
                set += 1
            }
            self.units = units
        }

        func objectCount(forSize size: UInt64) -> UInt64 {
            let used = (size + layout.stripeUnit - 1) / layout.stripeUnit
            return units.prefix(Int(used)).map { $0.object + 1 }.max() ?? 0
        }
    }

    static let layouts: [ImageLayout] = [
        ImageLayout(order: 16), ImageLayout(order: 16, stripeUnit: 4096, stripeCount: 3),
        ImageLayout(order: 12, stripeUnit: 1024, stripeCount: 5), ImageLayout(order: 12, stripeUnit: 4096, stripeCount: 4),
        ImageLayout(order: 12, stripeUnit: 512, stripeCount: 2), ImageLayout(order: 9, stripeUnit: 512, stripeCount: 7),
        ImageLayout(order: 16, stripeUnit: 4096, stripeCount: 1),
    ]

    @Test(arguments: layouts) func offsets(_ layout: ImageLayout) {
        let model = Model(layout, units: 400)
        for (index, unit) in model.units.enumerated() {
            let (number, offset) = layout.object(at: UInt64(index) * layout.stripeUnit + 7)
            #expect(number == unit.object && offset == unit.offset + 7)
        }
    }

    @Test(arguments: layouts) func objectCounts(_ layout: ImageLayout) {
        let model = Model(layout, units: 400)
        for units in UInt64(0)..<200 {
            for extra in [0, 1, layout.stripeUnit - 1] {
                let size = units * layout.stripeUnit + extra
                #expect(layout.objectCount(forSize: size) == model.objectCount(forSize: size), "size \(size)")
            }
        }
    }

    @Test(arguments: layouts) func extentsThereAndBack(_ layout: ImageLayout) {
        var random = SeededRandom.forRun("striping")
        for _ in 0..<300 {
            let start = UInt64(random.below(3_000_000)), range = start..<start + UInt64(random.below(200_000))
            let extents = layout.objectExtents(of: range)
            #expect(extents.reduce(0) { $0 + $1.range.count } == range.count, "\(SeededRandom.hint)")
            var position = range.lowerBound
            for extent in extents {
                #expect(extent.imageOffset == position && !extent.range.isEmpty && extent.range.upperBound <= layout.objectSize)
                #expect(extent.range.count <= Int(layout.stripeUnit))
                let back = layout.imageExtents(of: extent.object, extent.range)
                #expect(back == [position..<position + UInt64(extent.range.count)])
                position += UInt64(extent.range.count)
            }
        }
    }

    /// All bytes of an object, in the order of the object.
    @Test(arguments: layouts) func wholeObjects(_ layout: ImageLayout) {
        for number in UInt64(0)..<20 {
            var offset: UInt64 = 0
            for extent in layout.imageExtents(of: number, 0..<layout.objectSize) {
                let found = layout.object(at: extent.lowerBound)
                #expect(found.number == number && found.offset == offset)
                offset += UInt64(extent.count)
            }
            #expect(offset == layout.objectSize)
        }
        #expect(layout.imageExtents(of: 3, 5..<5).isEmpty)
        #expect(layout.objectExtents(of: 5..<5).isEmpty)
    }

    @Test func impossibleLayoutsAreRefused() {
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 0, stripeCount: 0) == ImageLayout(order: 22))
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 65536, stripeCount: 16)?.isStriped == true)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 65536, stripeCount: 1)?.isFancy == true)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 4 << 20, stripeCount: 1)?.isFancy == false)
        #expect(ImageLayout(recordedOrder: 8, stripeUnit: 0, stripeCount: 0) == nil)
        #expect(ImageLayout(recordedOrder: 33, stripeUnit: 0, stripeCount: 0) == nil)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 3 << 20, stripeCount: 2) == nil)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 8 << 20, stripeCount: 2) == nil)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 4096, stripeCount: 1 << 42) == nil)
        #expect(ImageLayout(recordedOrder: 22, stripeUnit: 4096, stripeCount: .max) == nil)
        let vast = ImageLayout(recordedOrder: 22, stripeUnit: 4096, stripeCount: (1 << 41) - 1)
        #expect(vast?.objectCount(forSize: UInt64(Int64.max)) != nil)
    }

    @Test func plainObjectsOfAnySize() {
        let layout = ImageLayout(order: 22)
        #expect(layout.objectCount(forSize: 0) == 0)
        #expect(layout.objectCount(forSize: 1) == 1)
        #expect(layout.objectCount(forSize: .max) == 1 << 42)
    }
}
