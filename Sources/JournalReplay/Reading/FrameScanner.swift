internal import CephCore

/// Finds the entries in the bytes of a data object. Pure.
///
/// Between them there may be zeroes: an object store that cannot append in mid-block pads what it appended.
struct FrameScanner {
    fileprivate let bytes: [UInt8]
    /// Where `bytes` begins in the object.
    private let start: UInt64
    fileprivate var index = 0

    init(_ bytes: [UInt8], at start: UInt64) { (self.bytes, self.start) = (bytes, start) }

    enum Step: Hashable {
        case frame(JournalFrame, at: UInt64)
        /// What is left is nothing, or the beginning of something.
        case end
        case damage(JournalDamage.Kind, at: UInt64)
    }

    /// Where the next step begins in the object.
    var offset: UInt64 { start + UInt64(index) }
    /// What was not used up.
    var rest: ArraySlice<UInt8> { bytes[index...] }

    mutating func next() -> Step {
        while index < bytes.count {
            if isPreamble { return frame() }
            guard let length = padding else { return .damage(.foreignBytes, at: offset) }
            guard index + length <= bytes.count else { break }
            index += length
        }
        return .end
    }

    /// Whether an entry begins here, as far as one can see.
    fileprivate var isPreamble: Bool {
        let count = min(8, bytes.count - index)
        return withUnsafeBytes(of: JournalFrame.preamble.littleEndian) { $0.prefix(count).elementsEqual(bytes[index..<index + count]) }
    }

    /// Zeroes up to the next multiple of 8 in the object, as far as one can see; nil for something else.
    private var padding: Int? {
        let length = 8 - Int(offset & 7)
        return bytes[index..<min(index + length, bytes.count)].allSatisfy { $0 == 0 } ? length : nil
    }

    private mutating func frame() -> Step {
        let left = bytes.count - index
        guard left >= JournalFrame.headLength else { return .end }
        let head = bytes.withUnsafeBytes { bytes in
            (
                version: bytes[index + 8], entry: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 9, as: UInt64.self)),
                tag: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 17, as: UInt64.self)),
                length: Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 25, as: UInt32.self)))
            )
        }
        guard head.version == JournalFrame.version else { return .damage(.unknownVersion, at: offset) }
        guard left >= JournalFrame.overhead + head.length else { return .end }
        let end = index + JournalFrame.headLength + head.length
        let isSound = bytes.withUnsafeBytes { bytes in
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[index..<end]), seed: 0)
                == UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        }
        guard isSound else { return .damage(.checksum, at: offset) }
        defer { index = end + 4 }
        return .frame(
            JournalFrame(tag: head.tag, entry: head.entry, payload: bytes[index + JournalFrame.headLength..<end]), at: offset)
    }
}

extension FrameScanner {
    /// Goes on behind damage, to where an entry may begin; returns whether there is such a place.
    mutating func skipToNextPreamble() -> Bool {
        let first = UInt8(truncatingIfNeeded: JournalFrame.preamble)
        while index + 1 < bytes.count {
            index += 1
            guard let next = bytes[index...].firstIndex(of: first) else { break }
            index = next
            if isPreamble { return true }
        }
        index = bytes.count
        return false
    }
}
