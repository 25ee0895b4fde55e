/// How an image's bytes lie in its objects.
public struct ImageLayout: Hashable, Sendable {
    /// log2 of the object size.
    public let order: UInt8
    /// Bytes; the object size without fancy striping.
    public let stripeUnit: UInt64
    public let stripeCount: UInt64

    /// - Parameters:
    ///   - stripeUnit: 0 for the object size.
    ///   - stripeCount: 0 for 1.
    public init(order: UInt8, stripeUnit: UInt64 = 0, stripeCount: UInt64 = 0) {
        precondition((9...32).contains(order), "object order outside 9...32")
        self.order = order
        let plain = stripeCount == 0 || stripeUnit == 0 || stripeUnit > UInt64(1) << order || (UInt64(1) << order) % stripeUnit != 0
        self.stripeUnit = plain ? UInt64(1) << order : stripeUnit
        self.stripeCount = plain ? 1 : stripeCount
    }

    /// The layout that an image's header records; nil for values that no image can have.
    public init?(recordedOrder order: UInt8, stripeUnit: UInt64, stripeCount: UInt64) {
        guard (9...32).contains(order) else { return nil }
        let size = UInt64(1) << order
        guard stripeUnit <= size, stripeUnit == 0 || size % stripeUnit == 0 else { return nil }
        // A whole period has to be addressable.
        guard stripeCount <= UInt64(Int64.max) >> UInt64(order) else { return nil }
        self.init(order: order, stripeUnit: stripeUnit, stripeCount: stripeCount)
    }

    public var objectSize: UInt64 { UInt64(1) << order }
    /// Whether consecutive stripes go to different objects.
    public var isStriped: Bool { stripeCount > 1 }
    /// Whether the header says how the image is striped: also a smaller unit where it makes no difference.
    public var isFancy: Bool { isStriped || stripeUnit != objectSize }

    private var unitsPerObject: UInt64 { objectSize / stripeUnit }
    private var period: UInt64 { objectSize * stripeCount }

    /// Objects an image of this size has.
    public func objectCount(forSize size: UInt64) -> UInt64 {
        guard isStriped else { return size / objectSize + (size % objectSize == 0 ? 0 : 1) }
        let periods = size / period + (size % period == 0 ? 0 : 1)
        let rest = size % period
        let full = stripeCount * stripeUnit
        let missing = rest > 0 && rest < full ? stripeCount - (rest + stripeUnit - 1) / stripeUnit : 0
        return periods * stripeCount - missing
    }

    /// Where a range of an object lies in the image, in object order.
    public func imageExtents(of object: UInt64, _ range: Range<UInt64>) -> [Range<UInt64>] {
        guard isStriped else {
            let base = object * objectSize
            return range.isEmpty ? [] : [base + range.lowerBound..<base + range.upperBound]
        }
        var extents: [Range<UInt64>] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let stripe = offset / stripeUnit + (object / stripeCount) * unitsPerObject
            let start = (stripe * stripeCount + object % stripeCount) * stripeUnit + offset % stripeUnit
            let run = min(stripeUnit - offset % stripeUnit, range.upperBound - offset)
            extents.append(start..<start + run)
            offset += run
        }
        return extents
    }

    /// The object that holds an image offset, and where in it.
    public func object(at offset: UInt64) -> (number: UInt64, offset: UInt64) {
        let unit = offset / stripeUnit
        let stripe = unit / stripeCount
        let number = (stripe / unitsPerObject) * stripeCount + unit % stripeCount
        return (number, (stripe % unitsPerObject) * stripeUnit + offset % stripeUnit)
    }

    /// The parts of objects that hold a range of the image, in image order; one a stripe unit at most.
    public func objectExtents(of range: Range<UInt64>) -> [ObjectExtent] {
        var extents: [ObjectExtent] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (number, offset) = object(at: position)
            let run = min(stripeUnit - position % stripeUnit, range.upperBound - position)
            extents.append(ObjectExtent(object: number, range: offset..<offset + run, imageOffset: position))
            position += run
        }
        return extents
    }
}

/// A part of an object, and where it lies in the image.
public struct ObjectExtent: Hashable, Sendable {
    public let object: UInt64
    /// Bytes within the object.
    public let range: Range<UInt64>
    public let imageOffset: UInt64

    public init(object: UInt64, range: Range<UInt64>, imageOffset: UInt64) {
        self.object = object
        self.range = range
        self.imageOffset = imageOffset
    }
}
