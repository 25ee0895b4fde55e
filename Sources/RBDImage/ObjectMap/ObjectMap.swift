public import CephCore

/// What an object map says of one object.
public struct ObjectState: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 3 }
    public static let nonexistent = ObjectState(rawValue: 0)
    /// Exists and was touched since the previous snapshot.
    public static let exists = ObjectState(rawValue: 1)
    /// Is being removed.
    public static let pending = ObjectState(rawValue: 2)
    /// Exists, unchanged since the previous snapshot.
    public static let existsClean = ObjectState(rawValue: 3)
}

/// Two bits for every object of an image, packed as Ceph packs them.
public struct ObjectMap: Hashable, Sendable {
    /// More objects than any image with an object map may have.
    public static let maximumCount = 256_000_000

    public private(set) var count: Int
    /// Four entries a byte, the first in the two most significant bits.
    private var bytes: [UInt8]

    public init(count: Int, filledWith state: ObjectState = .nonexistent) {
        self.count = count
        bytes = Array(repeating: state.rawValue &* 0x55, count: (count + 3) / 4)
        clearPadding()
    }

    public subscript(index: Int) -> ObjectState {
        get {
            precondition(index >= 0 && index < count, "object number outside the map")
            return ObjectState(rawValue: bytes[index >> 2] >> Self.shift(index))
        }
        set {
            precondition(index >= 0 && index < count, "object number outside the map")
            let shift = Self.shift(index)
            bytes[index >> 2] = bytes[index >> 2] & ~(3 << shift) | newValue.rawValue << shift
        }
    }

    /// Grows with nonexistent entries, or drops the last ones.
    public mutating func resize(to newCount: Int) {
        let size = (newCount + 3) / 4
        if size > bytes.count { bytes += Array(repeating: 0, count: size - bytes.count) } else { bytes.removeLast(bytes.count - size) }
        count = newCount
        clearPadding()
    }

    /// A snapshot was taken: everything that was touched is clean from now on.
    public mutating func markAllClean() {
        // 01 becomes 11; the other values stay.
        for index in bytes.indices {
            let byte = bytes[index]
            bytes[index] = byte | (byte & 0x55 & ~(byte >> 1)) << 1
        }
    }

    private static func shift(_ index: Int) -> UInt8 { UInt8(6 - 2 * (index & 3)) }

    private mutating func clearPadding() {
        guard count & 3 != 0, !bytes.isEmpty else { return }
        bytes[bytes.count - 1] &= 0xff << UInt8(8 - 2 * (count & 3))
    }
}

extension ObjectMap: WireDecodable {
    /// The map as an object-map object holds it: with checksums.
    public var encoded: [UInt8] {
        let header = Encoder.encode { $0.frame(version: 1, compat: 1) { $0.u64(UInt64(count)) } }
        return Encoder.encode {
            $0.u32(UInt32(header.count))
            $0.raw(header)
            $0.raw(bytes)
            let blocks = (bytes.count + 4095) / 4096
            $0.u32(UInt32(4 + 4 + 4 * blocks))
            $0.u32(CRC32C.checksum(header))
            $0.u32(UInt32(blocks))
            for block in 0..<blocks { $0.u32(CRC32C.checksum(bytes[block * 4096..<min((block + 1) * 4096, bytes.count)])) }
        }
    }

    /// Reads a map, with or without checksums; those that are there must be right.
    public init(from decoder: inout Decoder) throws(WireError) {
        let headerLength = try decoder.u32()
        guard headerLength == 14 else { throw decoder.failure(.invalidValue) }
        var copy = decoder
        let header = Array(try copy.raw(14))
        let entries = try decoder.frame(supported: 1) { (d, _) throws(WireError) in try d.u64() }
        guard entries <= UInt64(Self.maximumCount) else { throw decoder.failure(.invalidValue) }
        count = Int(entries)
        let start = decoder.offset
        bytes = Array(try decoder.raw((count + 3) / 4))
        clearPadding()
        if decoder.isAtEnd { return }
        let footer = try decoder.u32()
        guard footer > 0 else { return }
        guard Int(footer) == decoder.remaining else { throw decoder.failure(.invalidValue) }
        guard try decoder.u32() == CRC32C.checksum(header) else { throw WireError(.checksum, at: 4, in: "object map header") }
        let sums = try decoder.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.u32() }
        guard sums.count == (bytes.count + 4095) / 4096 else { throw decoder.failure(.invalidValue) }
        for (block, sum) in sums.enumerated() {
            let range = block * 4096..<min((block + 1) * 4096, bytes.count)
            guard CRC32C.checksum(bytes[range]) == sum else { throw WireError(.checksum, at: start + range.lowerBound, in: "object map") }
        }
    }
}
