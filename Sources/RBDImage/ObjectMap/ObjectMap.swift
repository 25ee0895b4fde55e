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
    /// Four entries a byte, the first in the two most significant bits; unused bits of the last byte are 0.
    var bytes: [UInt8]

    public init(count: Int, filledWith state: ObjectState = .nonexistent) {
        self.init(count: count, packed: Array(repeating: state.rawValue &* 0x55, count: (count + 3) / 4))
    }

    /// - Parameter packed: One byte for four entries; bits beyond `count` are dropped.
    init(count: Int, packed: [UInt8]) {
        self.count = count
        bytes = packed
        clearPadding()
    }

    /// An object's state, by its number below ``count``; others trap.
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

    private static func shift(_ index: Int) -> UInt8 { UInt8(6 - 2 * (index & 3)) }

    private mutating func clearPadding() {
        guard count & 3 != 0, !bytes.isEmpty else { return }
        bytes[bytes.count - 1] &= 0xff << UInt8(8 - 2 * (count & 3))
    }
}
