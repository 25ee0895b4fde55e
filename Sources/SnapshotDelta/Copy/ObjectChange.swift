/// How one object differs between two points of the source.
struct ObjectChange: Hashable, Sendable {
    var existedAtStart: Bool
    var existsAtEnd: Bool
    /// Bytes at the end; nil while it has not been read.
    var sizeAtEnd: UInt64?
    var sizeAtStart: UInt64
    /// Ranges that may differ, ascending, within the object's size at the end.
    var ranges: [Range<UInt64>]

    /// The object was there, as many bytes as `sizeAtStart`, and is not any more.
    static func gone(sizeAtStart: UInt64) -> ObjectChange {
        ObjectChange(existedAtStart: true, existsAtEnd: false, sizeAtEnd: 0, sizeAtStart: sizeAtStart, ranges: [])
    }

    static let neverThere = ObjectChange(existedAtStart: false, existsAtEnd: false, sizeAtEnd: 0, sizeAtStart: 0, ranges: [])

    /// The whole object is to be read; without `sizeAtEnd` its size is known only afterwards.
    static func whole(objectSize: UInt64, sizeAtEnd: UInt64? = nil) -> ObjectChange {
        ObjectChange(existedAtStart: false, existsAtEnd: true, sizeAtEnd: sizeAtEnd, sizeAtStart: 0, ranges: [0..<objectSize])
    }

    var isUnchanged: Bool {
        existedAtStart && existsAtEnd && ranges.isEmpty && sizeAtEnd == sizeAtStart
    }
}
