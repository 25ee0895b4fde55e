public import CephCore

/// How a pool is mirrored.
public struct MirrorMode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let disabled = MirrorMode(rawValue: 0)
    /// Images one by one, each in its own mode.
    public static let image = MirrorMode(rawValue: 1)
    /// All images with journals.
    public static let pool = MirrorMode(rawValue: 2)
}

/// The record of an image that is mirrored.
public struct MirrorImage: Hashable, Sendable, WireEncodable, WireDecodable {
    public struct State: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Mirroring is being taken off; the record goes next.
        public static let disabling = State(rawValue: 0)
        public static let enabled = State(rawValue: 1)
        /// In notifications only.
        public static let disabled = State(rawValue: 2)
        /// Half built: a stock daemon throws the image away and begins again.
        public static let creating = State(rawValue: 3)
    }

    public struct Mode: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let journal = Mode(rawValue: 0)
        public static let snapshot = Mode(rawValue: 1)
    }

    /// The same on all sites; the image id is not.
    public var globalID: String
    public var state: State
    public var mode: Mode

    public init(globalID: String, state: State, mode: Mode = .snapshot) {
        self.globalID = globalID
        self.state = state
        self.mode = mode
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 1) {
            $0.string(globalID)
            $0.u8(state.rawValue)
            $0.u8(mode.rawValue)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, version) throws(WireError) in
            Self(
                globalID: try d.string(), state: State(rawValue: try d.u8()),
                mode: version >= 2 ? Mode(rawValue: try d.u8()) : .journal)
        }
    }
}

/// A site that a pool exchanges images with.
public struct MirrorPeer: Hashable, Sendable, WireEncodable, WireDecodable {
    public struct Direction: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Images come from there to here.
        public static let receive = Direction(rawValue: 0)
        /// Images go from here to there.
        public static let transmit = Direction(rawValue: 1)
        public static let both = Direction(rawValue: 2)
    }

    /// This record's own: what mirror snapshots list the peer by.
    public var uuid: String
    public var siteName: String
    /// As in `client.rbd-mirror-peer`; empty for a site that only pulls.
    public var clientName: String
    public var direction: Direction
    /// The other pool's mirror uuid; empty until it was heard of.
    public var mirrorUUID: String
    /// Time of its last ping; zero for never.
    public var lastSeen: CephTime

    public init(
        uuid: String, siteName: String, clientName: String, direction: Direction = .both, mirrorUUID: String = "",
        lastSeen: CephTime = .zero
    ) {
        self.uuid = uuid
        self.siteName = siteName
        self.clientName = clientName
        self.direction = direction
        self.mirrorUUID = mirrorUUID
        self.lastSeen = lastSeen
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 1) {
            $0.string(uuid)
            $0.string(siteName)
            $0.string(clientName)
            $0.i64(-1)
            $0.u8(direction.rawValue)
            $0.string(mirrorUUID)
            lastSeen.encode(into: &$0)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, version) throws(WireError) in
            var peer = Self(uuid: try d.string(), siteName: try d.string(), clientName: try d.string())
            _ = try d.i64()
            if version >= 2 {
                peer.direction = Direction(rawValue: try d.u8())
                peer.mirrorUUID = try d.string()
                peer.lastSeen = try CephTime(from: &d)
            }
            return peer
        }
    }
}

/// Which daemon serves an image.
public struct MirrorImageMapEntry: Hashable, Sendable, WireEncodable, WireDecodable {
    /// Global id of the daemon's client in the pool; empty while nobody serves the image.
    public var instanceID: String
    public var mappedTime: CephTime
    /// The policy's own data, carried through.
    public var data: [UInt8]

    /// The policy data of an image without any: an empty record of type 0.
    public static let noData: [UInt8] = [1, 1, 4, 0, 0, 0, 0, 0, 0, 0]

    public init(instanceID: String, mappedTime: CephTime, data: [UInt8] = noData) {
        self.instanceID = instanceID
        self.mappedTime = mappedTime
        self.data = data
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            $0.string(instanceID)
            mappedTime.encode(into: &$0)
            $0.blob(data)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            Self(instanceID: try d.string(), mappedTime: try CephTime(from: &d), data: try d.blob())
        }
    }
}
