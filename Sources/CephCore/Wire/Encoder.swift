/// Writes values in Ceph's wire encoding (little endian).
///
///     var encoder = Encoder()
///     encoder.frame(version: 1, compat: 1) { $0.string("site-a") }
///     send(encoder.bytes)
public struct Encoder: Sendable {
    /// Everything written so far.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Encodes with one closure and returns the bytes.
    public static func encode(_ body: (inout Encoder) -> Void) -> [UInt8] {
        var encoder = Encoder()
        body(&encoder)
        return encoder.bytes
    }

    /// Appends a fixed-width integer, little endian.
    public mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func u8(_ value: UInt8) { bytes.append(value) }
    public mutating func u16(_ value: UInt16) { integer(value) }
    public mutating func u32(_ value: UInt32) { integer(value) }
    public mutating func u64(_ value: UInt64) { integer(value) }
    public mutating func i32(_ value: Int32) { integer(value) }
    public mutating func i64(_ value: Int64) { integer(value) }
    /// One byte, 1 or 0.
    public mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// Appends a u32 element count or byte length.
    public mutating func count(_ value: Int) { u32(UInt32(value)) }

    /// Appends bytes without a length.
    public mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    /// Appends a u32 length and the text's UTF-8 bytes.
    public mutating func string(_ value: String) { blob(value.utf8) }

    /// Appends a u32 length and the bytes.
    public mutating func blob(_ value: some Collection<UInt8>) {
        count(value.count)
        bytes.append(contentsOf: value)
    }

    /// Appends a u32 count and the elements.
    public mutating func list<C: Collection>(_ values: C, _ element: (inout Encoder, C.Element) -> Void) {
        count(values.count)
        for value in values { element(&self, value) }
    }

    /// Appends a one-byte presence flag and, when present, the value.
    public mutating func optional<T>(_ value: T?, _ body: (inout Encoder, T) -> Void) {
        bool(value != nil)
        if let value { body(&self, value) }
    }

    /// Appends a versioned structure: version, compat, u32 payload length, payload.
    public mutating func frame(version: UInt8, compat: UInt8, _ body: (inout Encoder) -> Void) {
        u8(version)
        u8(compat)
        let mark = bytes.count
        u32(0)
        body(&self)
        let length = UInt32(bytes.count - mark - 4)
        withUnsafeBytes(of: length.littleEndian) { source in
            for (index, byte) in source.enumerated() { bytes[mark + index] = byte }
        }
    }
}

/// A value with one Ceph encoding.
public protocol WireEncodable {
    func encode(into encoder: inout Encoder)
}

extension WireEncodable {
    /// The value's encoding.
    public var encoded: [UInt8] { Encoder.encode { encode(into: &$0) } }
}
