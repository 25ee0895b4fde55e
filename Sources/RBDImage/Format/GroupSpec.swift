public import CephCore

/// A group of images.
public struct GroupSpec: Hashable, Sendable, WireEncodable, WireDecodable {
    /// Negative when there is none.
    public var poolID: Int64
    public var id: String

    public init(poolID: Int64, id: String) {
        self.poolID = poolID
        self.id = id
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            $0.i64(poolID)
            $0.string(id)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            Self(poolID: try d.i64(), id: try d.string())
        }
    }
}

/// An image of a group, as the group's header records it.
public struct GroupImage: Hashable, Sendable, WireEncodable, WireDecodable {
    public struct State: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let attached = State(rawValue: 0)
        /// Being added or removed.
        public static let incomplete = State(rawValue: 1)
    }

    public var poolID: Int64
    public var imageID: String
    public var state: State

    public init(poolID: Int64, imageID: String, state: State) {
        self.poolID = poolID
        self.imageID = imageID
        self.state = state
    }

    /// The group header's key for the image.
    public var key: String { "image_\(ObjectNames.hex16(UInt64(bitPattern: poolID)))_\(imageID)" }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            $0.frame(version: 1, compat: 1) {
                $0.string(imageID)
                $0.i64(poolID)
            }
            $0.u8(state.rawValue)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            let (imageID, poolID) = try d.frame(supported: 1) { (d, _) throws(WireError) in (try d.string(), try d.i64()) }
            return Self(poolID: poolID, imageID: imageID, state: State(rawValue: try d.u8()))
        }
    }
}
