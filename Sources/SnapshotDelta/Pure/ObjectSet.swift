public import RBDImage

/// A set of an image's objects: one entry each, 32 a word, as in an object map.
public struct ObjectSet: Hashable, Sendable {
    /// Only the low bits of entries are ever set.
    private(set) var words: [UInt64] = []

    public init() {}

    /// The first `count` objects.
    public init(first count: UInt64) {
        words = Array(repeating: ObjectMap.lowBits, count: Int((count + 31) / 32))
        if count & 31 != 0 { words[words.count - 1] &= ~(UInt64.max >> (2 * (count & 31))) }
    }

    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    public func contains(_ object: UInt64) -> Bool {
        let index = Int(object >> 5)
        return index < words.count && words[index] >> UInt64(62 - 2 * (object & 31)) & 1 == 1
    }

    /// The objects, ascending.
    public var members: PackedIndices { PackedIndices(wordCount: words.count) { [words] in words[$0] } }

    public mutating func formUnion(_ other: ObjectSet) {
        if other.words.count > words.count { words += Array(repeating: 0, count: other.words.count - words.count) }
        for (index, word) in other.words.enumerated() { words[index] |= word }
    }

    func intersection(_ other: ObjectSet) -> ObjectSet { ObjectSet(words: zip(words, other.words).map { $0 & $1 }) }

    fileprivate init(words: [UInt64]) { self.words = words }
}

extension ObjectSet {
    /// The objects that a map says are there.
    public init(presentIn map: ObjectMap) {
        self.init(map) { word in (word | word >> 1) & ObjectMap.lowBits }
    }

    private init(_ map: ObjectMap, _ entries: (UInt64) -> UInt64) {
        words = map.withPackedBytes { packed in
            (0..<(packed.count + 7) / 8).map { entries(ObjectMap.word($0, of: packed)) }
        }
    }

    /// The objects that a map says were written to since the snapshot before.
    init(writtenIn map: ObjectMap) {
        self.init(map) { word in word & ~(word >> 1) & ObjectMap.lowBits }
    }
}

extension ObjectDeltaMap {
    /// The objects that are there at both ends and were not touched.
    var clean: ObjectSet { ObjectSet(words: words.map { $0 & ~($0 >> 1) & ObjectMap.lowBits }) }

    /// The objects of ``touched``.
    public var touchedSet: ObjectSet { ObjectSet(words: words.map { $0 >> 1 & ObjectMap.lowBits }) }
}
