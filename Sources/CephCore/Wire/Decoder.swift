/// Reads values in Ceph's wire encoding, never beyond the input.
///
/// Every failure is a ``WireError`` with the offset; no count in the input makes the decoder
/// allocate more than the input's own size.
public struct Decoder: Sendable {
    private let bytes: ArraySlice<UInt8>
    /// Offset of the next byte.
    public private(set) var offset: Int
    private var end: Int

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// Reads a part of an array without copying it; offsets count from the part's beginning.
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    /// Decodes a whole input with one closure; bytes left over are an error.
    public static func decode<T>(
        _ bytes: [UInt8], as context: String = "", _ body: (inout Decoder) throws(WireError) -> T
    ) throws(WireError) -> T {
        try decode(bytes[...], as: context, body)
    }

    /// Decodes a whole part of an array with one closure; bytes left over are an error.
    public static func decode<T>(
        _ bytes: ArraySlice<UInt8>, as context: String = "", _ body: (inout Decoder) throws(WireError) -> T
    ) throws(WireError) -> T {
        var decoder = Decoder(bytes)
        do throws(WireError) {
            let value = try body(&decoder)
            guard decoder.isAtEnd else { throw decoder.failure(.trailingBytes) }
            return value
        } catch {
            guard error.context.isEmpty else { throw error }
            throw WireError(error.reason, at: error.offset, in: context)
        }
    }

    /// Bytes left in the current frame.
    public var remaining: Int { end - offset }
    /// Whether the current frame is used up.
    public var isAtEnd: Bool { offset == end }

    /// An error at the current offset.
    public func failure(_ reason: WireError.Reason) -> WireError { WireError(reason, at: offset) }

    /// Reads a fixed-width little-endian integer.
    public mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(WireError) -> T {
        let width = MemoryLayout<T>.size
        guard remaining >= width else { throw failure(.truncated) }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
        offset += width
        return T(littleEndian: value)
    }

    public mutating func u8() throws(WireError) -> UInt8 { try integer() }
    public mutating func u16() throws(WireError) -> UInt16 { try integer() }
    public mutating func u32() throws(WireError) -> UInt32 { try integer() }
    public mutating func u64() throws(WireError) -> UInt64 { try integer() }
    public mutating func i32() throws(WireError) -> Int32 { try integer() }
    public mutating func i64() throws(WireError) -> Int64 { try integer() }

    /// The next byte, without reading it.
    public func peekByte() throws(WireError) -> UInt8 {
        guard offset < end else { throw failure(.truncated) }
        return bytes[bytes.startIndex + offset]
    }

    /// Reads one byte; anything but 0 is true, as in Ceph.
    public mutating func bool() throws(WireError) -> Bool { try u8() != 0 }

    /// Reads a u32 count of elements that take at least `minimum` bytes each.
    public mutating func count(elementsOfAtLeast minimum: Int = 1) throws(WireError) -> Int {
        let start = offset
        let value = Int(try u32())
        guard value <= remaining / max(minimum, 1) else { throw WireError(.oversized, at: start) }
        return value
    }

    /// Reads `length` bytes as they are: a part of the input, not a copy.
    public mutating func raw(_ length: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard length >= 0, length <= remaining else { throw failure(.truncated) }
        defer { offset += length }
        let start = bytes.startIndex + offset
        return bytes[start..<start + length]
    }

    /// Reads a u32 length and that many bytes.
    public mutating func blob() throws(WireError) -> [UInt8] {
        let length = try count()
        return Array(try raw(length))
    }

    /// Reads a u32 length and that many bytes of UTF-8.
    public mutating func string() throws(WireError) -> String {
        let start = offset
        let length = try count()
        let text = try raw(length)
        guard let value = String(validating: text, as: UTF8.self) else { throw WireError(.invalidText, at: start) }
        return value
    }

    /// Reads a u32 count and the elements.
    public mutating func list<T>(
        elementsOfAtLeast minimum: Int = 1, _ element: (inout Decoder) throws(WireError) -> T
    ) throws(WireError) -> [T] {
        let count = try count(elementsOfAtLeast: minimum)
        var values: [T] = []
        for _ in 0..<count { values.append(try element(&self)) }
        return values
    }

    /// Reads a presence flag and, when set, the value.
    public mutating func optional<T>(_ body: (inout Decoder) throws(WireError) -> T) throws(WireError) -> T? {
        try bool() ? try body(&self) : nil
    }

    /// Reads a versioned structure; skips what newer versions appended.
    ///
    /// - Parameter supported: The newest compat version this reader understands.
    public mutating func frame<T>(
        supported: UInt8, _ body: (inout Decoder, _ version: UInt8) throws(WireError) -> T
    ) throws(WireError) -> T {
        let start = offset
        let version = try u8()
        let compat = try u8()
        guard compat <= supported else { throw WireError(.incompatible, at: start) }
        let length = try count()
        let outerEnd = end
        end = offset + length
        let value = try body(&self, version)
        offset = end
        end = outerEnd
        return value
    }
}

/// A value that can be read from one Ceph encoding.
public protocol WireDecodable {
    init(from decoder: inout Decoder) throws(WireError)
}

extension WireDecodable {
    /// Decodes a whole input; bytes left over are an error.
    public init(encoded bytes: [UInt8]) throws(WireError) {
        self = try Decoder.decode(bytes, as: "\(Self.self)") { (decoder) throws(WireError) in try Self(from: &decoder) }
    }
}
