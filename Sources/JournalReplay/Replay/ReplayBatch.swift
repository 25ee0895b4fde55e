internal import RBDImage

/// Changes of data that may be made side by side: for each object in their order. Pure.
///
/// Nothing in it waits for another part of it: a flush, and whatever has to see all that came before, ends the batch.
struct ReplayBatch {
    private let layout: ImageLayout
    /// Of the image while the batch is filled, in bytes: what lies beyond is passed over.
    private let size: UInt64
    private(set) var objects: [UInt64: ObjectEdits] = [:]
    /// Of data that is held.
    private(set) var bytes = 0
    /// Changes, each of an object.
    private(set) var count = 0

    init(_ layout: ImageLayout, size: UInt64) { (self.layout, self.size) = (layout, size) }

    var isEmpty: Bool { objects.isEmpty }

    mutating func write(_ data: ArraySlice<UInt8>, at offset: UInt64) {
        for extent in extents(offset, UInt64(data.count)) {
            let start = data.startIndex + Int(extent.imageOffset - offset)
            add(.write(offset: extent.range.lowerBound, data[start..<start + extent.range.count]), to: extent.object)
        }
        bytes += data.count
    }

    mutating func writeSame(_ event: JournalEvent.WriteSame) {
        let pattern = Array(event.pattern)
        guard !pattern.isEmpty else { return }
        for extent in extents(event.offset, event.length) {
            // Where the stripe begins in the middle of the pattern it goes on from there.
            let phase = Int((extent.imageOffset - event.offset) % UInt64(pattern.count))
            let turned = Array(pattern[phase...] + pattern[..<phase])
            let whole = extent.range.upperBound - UInt64(extent.range.count % pattern.count)
            if whole > extent.range.lowerBound {
                add(.writeSame(extent.range.lowerBound..<whole, pattern: turned), to: extent.object)
            }
            if whole < extent.range.upperBound {
                add(.write(offset: whole, turned[..<Int(extent.range.upperBound - whole)]), to: extent.object)
            }
        }
        bytes += pattern.count
    }

    mutating func discard(_ event: JournalEvent.Discard) {
        let objectSize = layout.objectSize
        let granularity = min(UInt64(event.granularity), objectSize)
        for extent in joined(extents(event.offset, event.length)) {
            var (start, end) = (extent.range.lowerBound, extent.range.upperBound)
            if granularity > 0, granularity < objectSize || end < objectSize {
                start = (start + granularity - 1) / granularity * granularity
                end = end / granularity * granularity
            }
            guard start < end else { continue }
            add(end < objectSize ? .zero(start..<end) : start > 0 ? .truncate(start) : .remove, to: extent.object)
        }
    }

    private mutating func add(_ edit: ObjectEdit, to object: UInt64) {
        objects[object, default: ObjectEdits()].add(edit)
        count += 1
    }

    private func extents(_ offset: UInt64, _ length: UInt64) -> [ObjectExtent] {
        let end = min(offset.addingReportingOverflow(length).partialValue, size)
        let isBeyond = offset.addingReportingOverflow(length).overflow
        return offset < size ? layout.objectExtents(of: offset..<(isBeyond ? size : end)) : []
    }

    /// Parts of an object that adjoin there, as stripes do, are one.
    private func joined(_ extents: [ObjectExtent]) -> [ObjectExtent] {
        guard layout.isFancy else { return extents }
        var last: [UInt64: Int] = [:]
        var result: [ObjectExtent] = []
        for extent in extents {
            if let index = last[extent.object], result[index].range.upperBound == extent.range.lowerBound {
                let joined = result[index].range.lowerBound..<extent.range.upperBound
                result[index] = ObjectExtent(object: extent.object, range: joined, imageOffset: result[index].imageOffset)
            } else {
                last[extent.object] = result.count
                result.append(extent)
            }
        }
        return result
    }
}
