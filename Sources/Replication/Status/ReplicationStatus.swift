/// How one image or directory stands, for both engines.
///
/// A plain value: kept by the engine, asked for at any moment, encoded for other programs,
/// rendered for stock tools at the edge.
public struct ReplicationStatus: Hashable, Sendable, Codable {
    /// Which side this is.
    public struct Role: RawRepresentable, Hashable, Sendable, Codable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let undetermined = Role(rawValue: "undetermined")
        /// Data is written here and read by the peers.
        public static let primary = Role(rawValue: "primary")
        /// Data arrives here from the peer.
        public static let replica = Role(rawValue: "replica")
    }

    /// What it is doing.
    public struct State: RawRepresentable, Hashable, Sendable, Codable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let unknown = State(rawValue: "unknown")
        public static let starting = State(rawValue: "starting")
        /// Copies everything for the first time.
        public static let firstSync = State(rawValue: "first-sync")
        /// Follows the source; whether a sync is running is in ``ReplicationStatus/progress``.
        public static let replaying = State(rawValue: "replaying")
        public static let stopping = State(rawValue: "stopping")
        public static let stopped = State(rawValue: "stopped")
        /// Cannot go on; retried unless the reason needs a decision.
        public static let error = State(rawValue: "error")
    }

    public var role: Role
    public var state: State
    public var reason: ReasonCode
    /// One line for people.
    public var text: String
    /// Present while a sync is running.
    public var progress: SyncProgress?
    public var lastSync: LastSync?
    /// When the newest point the replica holds in full was taken on the source.
    public var lastPoint: WallTime?
    /// When the newest point of the source was taken.
    public var sourcePoint: WallTime?
    /// Complete points of the source that are not yet here.
    public var pendingPoints: Int
    /// When this status came to be.
    public var since: WallTime

    public init(
        role: Role = .undetermined, state: State = .unknown, reason: ReasonCode = .starting, text: String = "",
        progress: SyncProgress? = nil, lastSync: LastSync? = nil, lastPoint: WallTime? = nil,
        sourcePoint: WallTime? = nil, pendingPoints: Int = 0, since: WallTime = .now()
    ) {
        self.role = role
        self.state = state
        self.reason = reason
        self.text = text
        self.progress = progress
        self.lastSync = lastSync
        self.lastPoint = lastPoint
        self.sourcePoint = sourcePoint
        self.pendingPoints = pendingPoints
        self.since = since
    }

    /// Counts the seconds a failover now would lose: the age of the newest point held in full.
    public func lag(at now: WallTime = .now()) -> Double? {
        lastPoint.map { max(0, now.seconds(since: $0)) }
    }

    /// Whether state, reason or role differ: what deserves an event, unlike mere progress.
    public func differsInKind(from other: ReplicationStatus) -> Bool {
        (role, state, reason) != (other.role, other.state, other.reason)
    }
}
