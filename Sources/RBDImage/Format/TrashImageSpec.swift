public import CephCore

/// An image in the trash.
public struct TrashImageSpec: Hashable, Sendable, WireEncodable, WireDecodable {
    /// Who put it there.
    public struct Source: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let user = Source(rawValue: 0)
        public static let mirroring = Source(rawValue: 1)
        public static let migration = Source(rawValue: 2)
        public static let removing = Source(rawValue: 3)
        public static let userParent = Source(rawValue: 4)
    }

    /// Where it stands.
    public struct State: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let normal = State(rawValue: 0)
        /// On its way into the trash, not yet out of the directory.
        public static let moving = State(rawValue: 1)
        public static let removing = State(rawValue: 2)
        /// On its way back.
        public static let restoring = State(rawValue: 3)
    }

    public var source: Source
    public var name: String
    public var deleted: CephTime
    /// Not to be removed before.
    public var defermentEnd: CephTime
    public var state: State

    public init(source: Source, name: String, deleted: CephTime, defermentEnd: CephTime, state: State = .normal) {
        self.source = source
        self.name = name
        self.deleted = deleted
        self.defermentEnd = defermentEnd
        self.state = state
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 1) {
            $0.u8(source.rawValue)
            $0.string(name)
            deleted.encode(into: &$0)
            defermentEnd.encode(into: &$0)
            $0.u8(state.rawValue)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, version) throws(WireError) in
            Self(
                source: Source(rawValue: try d.u8()), name: try d.string(), deleted: try CephTime(from: &d),
                defermentEnd: try CephTime(from: &d), state: version >= 2 ? State(rawValue: try d.u8()) : .normal)
        }
    }
}
