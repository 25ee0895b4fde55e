internal import RBDImage

/// Changes of data that may be made side by side: for each object in their order. Pure.
struct ReplayBatch {
    private let layout: ImageLayout
    /// Of the image while the batch is filled, in bytes: what lies beyond is passed over.
    private let size: UInt64
    private(set) var objects: [UInt64: ObjectEdits] = [:]
    /// The numbers of the entries that change each object.
    private(set) var entries: [UInt64: [Int]] = [:]
    /// Of data that is held.
    private(set) var bytes = 0
    /// Changes, each of an object.
    private(set) var count = 0
    /// The entry whose changes are being added, and how many objects it has.
    private var entry = (number: 0, objects: 0)

    init(_ layout: ImageLayout, size: UInt64) { (self.layout, self.size) = (layout, size) }

    var isEmpty: Bool { objects.isEmpty }

    /// Adds an entry's changes; returns of how many objects they are.
    mutating func add(_ number: Int, _ changes: (inout ReplayBatch) -> Void) -> Int {
        entry = (number, 0)
        changes(&self)
        return entry.objects
    }

    /// Takes out the changes of all objects but some.
    mutating func split(without busy: Set<UInt64>) -> ReplayBatch {
        var taken = self
        if busy.isDisjoint(with: objects.keys) {
            self = ReplayBatch(layout, size: size)
            return taken
        }
        taken.keep { !busy.contains($0) }
        keep { busy.contains($0) }
        return taken
    }

    private mutating func keep(_ isKept: (UInt64) -> Bool) {
        objects = objects.filter { isKept($0.key) }
        entries = entries.filter { isKept($0.key) }
        bytes = objects.values.reduce(0) { $0 + $1.bytes }
        count = objects.values.reduce(0) { $0 + $1.edits.count }
    }

    mutating func write(_ data: ArraySlice<UInt8>, at offset: UInt64) {
        for extent in extents(offset, UInt64(data.count)) {
            let start = data.startIndex + Int(extent.imageOffset - offset)
            add(.write(offset: extent.range.lowerBound, data[start..<start + extent.range.count]), to: extent.object)
        }
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
        bytes += edit.bytes
        count += 1
        guard entries[object]?.last != entry.number else { return }
        entries[object, default: []].append(entry.number)
        entry.objects += 1
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
