public import CephCore

/// What a daemon says of an image, for one site.
public struct MirrorSiteStatus: Hashable, Sendable, WireEncodable, WireDecodable {
    public struct State: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let unknown = State(rawValue: 0)
        public static let error = State(rawValue: 1)
        public static let syncing = State(rawValue: 2)
        public static let startingReplay = State(rawValue: 3)
        public static let replaying = State(rawValue: 4)
        public static let stoppingReplay = State(rawValue: 5)
        public static let stopped = State(rawValue: 6)
    }

    /// The writer's pool mirror uuid; empty for a status on its own cluster.
    public var mirrorUUID: String
    public var state: State
    public var description: String
    /// The OSD's clock; ignored when a status is set.
    public var lastUpdate: CephTime
    /// Whether the writer watches the object now; ignored when a status is set.
    public var isUp: Bool

    public init(
        mirrorUUID: String = "", state: State, description: String, lastUpdate: CephTime = .zero, isUp: Bool = true
    ) {
        self.mirrorUUID = mirrorUUID
        self.state = state
        self.description = description
        self.lastUpdate = lastUpdate
        self.isUp = isUp
    }

    public func encode(into encoder: inout Encoder) {
        let remote = !mirrorUUID.isEmpty
        encoder.frame(version: remote ? 2 : 1, compat: remote ? 2 : 1) {
            if remote { $0.string(mirrorUUID) }
            $0.u8(state.rawValue)
            $0.string(description)
            lastUpdate.encode(into: &$0)
            $0.bool(isUp)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, version) throws(WireError) in
            let uuid = version >= 2 ? try d.string() : ""
            return try Self(fields: &d, mirrorUUID: uuid)
        }
    }

    init(fields d: inout Decoder, mirrorUUID: String) throws(WireError) {
        self.init(
            mirrorUUID: mirrorUUID, state: State(rawValue: try d.u8()), description: try d.string(),
            lastUpdate: try CephTime(from: &d), isUp: try d.bool())
    }
}

/// An image's status on all sites, as one cluster knows it.
public struct MirrorImageStatus: Hashable, Sendable, WireDecodable {
    /// What the local site's daemon says; nil when there is none.
    public var local: MirrorSiteStatus?
    /// What the daemons of other sites say.
    public var peers: [MirrorSiteStatus]

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, version) throws(WireError) in
            let local = try MirrorSiteStatus(fields: &d, mirrorUUID: "")
            guard version >= 2 else { return Self(local: local, peers: []) }
            let valid = try d.bool()
            let peers = try d.list(elementsOfAtLeast: 14) { (d) throws(WireError) in
                let uuid = try d.string()
                return try MirrorSiteStatus(fields: &d, mirrorUUID: uuid)
            }
            return Self(local: valid ? local : nil, peers: peers)
        }
    }

    init(local: MirrorSiteStatus?, peers: [MirrorSiteStatus]) {
        self.local = local
        self.peers = peers
    }
}

/// What is told to the watchers of `rbd_mirroring`.
public enum MirroringNotification: Hashable, Sendable, WireEncodable, WireDecodable {
    case modeUpdated(MirrorMode)
    case imageUpdated(MirrorImage.State, id: String, globalID: String)
    /// Of a newer release.
    case unknown(UInt32)

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            switch self {
            case .modeUpdated(let mode):
                $0.u32(0)
                $0.u32(mode.rawValue)
            case .imageUpdated(let state, let id, let globalID):
                $0.u32(1)
                $0.u32(UInt32(state.rawValue))
                $0.string(id)
                $0.string(globalID)
            case .unknown(let operation): $0.u32(operation)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            switch try d.u32() {
            case 0: .modeUpdated(MirrorMode(rawValue: try d.u32()))
            case 1: .imageUpdated(
                MirrorImage.State(rawValue: UInt8(clamping: try d.u32())), id: try d.string(), globalID: try d.string())
            case let operation: .unknown(operation)
            }
        }
    }
}
