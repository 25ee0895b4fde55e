/// Whole-map work, 32 entries at a time.
extension ObjectMap {
    /// Lends the packed entries: four a byte, the first in the two most significant bits.
    package func withPackedBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { bytes.withUnsafeBytes(body) }

    /// The bits of one entry in each of the 32 of a word: the low one set.
    package static let lowBits: UInt64 = 0x5555_5555_5555_5555

    /// Word `index` of packed entries: entry `32 * index` in the two most significant bits, zeroes after the last.
    package static func word(_ index: Int, of packed: UnsafeRawBufferPointer) -> UInt64 {
        let start = index * 8
        if start + 8 <= packed.count {
            return UInt64(bigEndian: packed.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        var word: UInt64 = 0
        for offset in 0..<8 { word = word << 8 | UInt64(start + offset < packed.count ? packed[start + offset] : 0) }
        return word
    }

    /// Objects that are there: in any state but nonexistent.
    public var presentCount: Int {
        withPackedBytes { packed in
            var count = 0
            for index in 0..<(packed.count + 7) / 8 {
                let word = Self.word(index, of: packed)
                count += ((word | word >> 1) & Self.lowBits).nonzeroBitCount
            }
            return count
        }
    }

    /// The numbers of the objects that are there, ascending; empty stretches are skipped 32 objects at a time.
    public var present: PackedIndices {
        PackedIndices(wordCount: (bytes.count + 7) / 8) { [self] index in
            let word = withPackedBytes { Self.word(index, of: $0) }
            return (word | word >> 1) & Self.lowBits
        }
    }

    /// A snapshot was taken: everything that was touched is clean from now on.
    public mutating func markAllClean() {
        // 01 becomes 11; the other values stay. The rule is the same in any byte order.
        bytes.withUnsafeMutableBytes { packed in
            let whole = packed.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                let word = packed.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                packed.storeBytes(of: word | (word & Self.lowBits & ~(word >> 1)) << 1, toByteOffset: offset, as: UInt64.self)
            }
            for offset in whole..<packed.count {
                let byte = packed[offset]
                packed[offset] = byte | (byte & 0x55 & ~(byte >> 1)) << 1
            }
        }
    }
}

/// Numbers of entries that were picked out of a packed vector, ascending.
public struct PackedIndices: Sequence, Sendable {
    private let wordCount: Int
    /// For each word the picked entries' low bits, entry `32 * index` the most significant.
    private let picked: @Sendable (Int) -> UInt64

    package init(wordCount: Int, _ picked: @escaping @Sendable (Int) -> UInt64) {
        self.wordCount = wordCount
        self.picked = picked
    }

    public var isEmpty: Bool { first { _ in true } == nil }

    public func makeIterator() -> Iterator { Iterator(wordCount: wordCount, picked: picked) }

    public struct Iterator: IteratorProtocol {
        let wordCount: Int
        let picked: @Sendable (Int) -> UInt64
        private var index = -1
        private var word: UInt64 = 0

        init(wordCount: Int, picked: @escaping @Sendable (Int) -> UInt64) {
            self.wordCount = wordCount
            self.picked = picked
        }

        public mutating func next() -> UInt64? {
            while word == 0 {
                index += 1
                guard index < wordCount else { return nil }
                word = picked(index)
            }
            let place = word.leadingZeroBitCount
            word &= ~(UInt64(1) << UInt64(63 - place))
            return UInt64(index) * 32 + UInt64(place / 2)
        }
    }
}
