public import RBDImage

/// How an object stands at the end of a span of history, and whether it was touched in it.
public struct ObjectDelta: Hashable, Sendable {
    let rawValue: UInt8
    /// Absent, untouched.
    public static let hole = ObjectDelta(rawValue: 0)
    /// Present, untouched.
    public static let data = ObjectDelta(rawValue: 1)
    /// Absent now; it was there.
    public static let holeUpdated = ObjectDelta(rawValue: 2)
    /// Present, touched.
    public static let dataUpdated = ObjectDelta(rawValue: 3)
}

/// The object deltas of an image between two of its points, from its object maps.
///
/// Takes two bits an object, and one map at a time while it is made.
public struct ObjectDeltaMap: Hashable, Sendable {
    /// What the deltas are for.
    public struct Purpose: Hashable, Sendable {
        let name: String
        /// Copying every point on the way: an object that came and went is in it, as are those beyond a smaller end.
        public static let copy = Purpose(name: "copy")
        /// Comparing the two ends: as many objects as the newer end has.
        ///
        /// As `rbd diff --whole-object`, but an object that was lost when the image shrank is told of even if
        /// the image grew again afterwards.
        public static let comparison = Purpose(name: "comparison")
    }

    public private(set) var count = 0
    /// 32 states a word, the first in the two most significant bits; unused bits are 0.
    private(set) var words: [UInt64] = []
    private let purpose: Purpose
    private let hasStart: Bool

    /// An object's delta, by its number below ``count``; others trap.
    public subscript(index: Int) -> ObjectDelta {
        precondition(index >= 0 && index < count, "object number outside the map")
        return ObjectDelta(rawValue: UInt8(words[index >> 5] >> UInt64(62 - 2 * (index & 31)) & 3))
    }

    /// One revision on the way from the older point to the newer one.
    public struct Revision: Sendable {
        public let map: ObjectMap
        /// Objects of the image at this revision.
        public let objectCount: Int
        public init(map: ObjectMap, objectCount: Int) {
            self.map = map
            self.objectCount = objectCount
        }
    }

    /// Begins at the older point, to be continued with ``advance(to:isLast:)``.
    ///
    /// - Parameter start: The older point; nil for the beginning of time.
    /// - Returns: Nil when the map is shorter than its revision: then no map can be trusted.
    public init?(start: Revision?, for purpose: Purpose = .copy) {
        self.purpose = purpose
        hasStart = start != nil
        guard let start else { return }
        guard start.map.count >= start.objectCount else { return nil }
        resize(to: start.objectCount)
        update(with: start) { _, map, _ in DeltaRule.first(map, isStart: true) }
    }

    /// Follows the maps of every revision, oldest first.
    ///
    /// - Parameters:
    ///   - start: The older point; nil for the beginning of time.
    ///   - rest: The revisions after it, up to and with the newer point. Those without a map of their own are left out.
    /// - Returns: Nil when a map is shorter than its revision: then no map can be trusted.
    public init?(start: Revision?, rest: [Revision], for purpose: Purpose = .copy) {
        self.init(start: start, for: purpose)
        for (index, revision) in rest.enumerated() {
            guard advance(to: revision, isLast: index == rest.count - 1) else { return nil }
        }
    }

    /// Goes on to the next newer revision.
    ///
    /// - Parameter isLast: This is the newer point.
    /// - Returns: False when the map is shorter than its revision.
    public mutating func advance(to revision: Revision, isLast: Bool) -> Bool {
        guard revision.map.count >= revision.objectCount else { return false }
        let compares = purpose == .comparison
        // From the beginning of time only the newer end counts in a comparison.
        if compares && !hasStart && !isLast { return true }
        let newCount = compares && isLast ? revision.objectCount : max(count, revision.objectCount)
        let known = min(count, newCount)
        resize(to: newCount)
        let holesStay = compares && !isLast
        update(with: revision) { index, map, previous in
            let old = DeltaRule.next(previous, map, holesStay: holesStay)
            let mask = Self.mask(of: known - index * 32)
            guard mask != .max else { return old }
            let new = holesStay ? 0 : DeltaRule.first(map, isStart: false)
            return old & mask | new & ~mask
        }
        return true
    }

    /// Applies a rule to every word, with the revision's map cut to its objects.
    private mutating func update(with revision: Revision, _ rule: (_ index: Int, _ map: UInt64, _ previous: UInt64) -> UInt64) {
        revision.map.withPackedBytes { packed in
            for index in words.indices {
                let map = ObjectMap.word(index, of: packed) & Self.mask(of: revision.objectCount - index * 32)
                words[index] = rule(index, map, words[index]) & Self.mask(of: count - index * 32)
            }
        }
    }

    private mutating func resize(to newCount: Int) {
        let size = (newCount + 31) / 32
        if size > words.count { words += Array(repeating: 0, count: size - words.count) } else { words.removeLast(words.count - size) }
        count = newCount
        if let last = words.indices.last { words[last] &= Self.mask(of: count - last * 32) }
    }

    /// All bits of the first `entries` entries of a word.
    private static func mask(of entries: Int) -> UInt64 {
        if entries <= 0 { return 0 }
        return entries >= 32 ? .max : ~(UInt64.max >> UInt64(2 * entries))
    }
}

extension ObjectDeltaMap {
    /// The objects that were touched, ascending; untouched stretches are skipped 32 objects at a time.
    public var touched: PackedIndices {
        PackedIndices(wordCount: words.count) { [words] in words[$0] >> 1 & ObjectMap.lowBits }
    }

    /// How many objects ``touched`` has.
    public var touchedCount: Int { words.reduce(0) { $0 + ($1 >> 1 & ObjectMap.lowBits).nonzeroBitCount } }

    /// The objects that are there at the end.
    public var presentCount: Int { words.reduce(0) { $0 + ($1 & ObjectMap.lowBits).nonzeroBitCount } }
}
