/// Something happened that an orchestrator may want to know.
public struct ReplicationEvent: Hashable, Sendable, Codable {
    /// What happened; an open set.
    public struct Kind: RawRepresentable, Hashable, Sendable, Codable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
        /// Role, state or reason changed.
        public static let statusChanged = Kind("status-changed")
        public static let syncStarted = Kind("sync-started")
        public static let syncFinished = Kind("sync-finished")
        /// A failover now would lose more than is allowed; ``lagWithinBudget`` ends it.
        public static let lagOverBudget = Kind("lag-over-budget")
        public static let lagWithinBudget = Kind("lag-within-budget")
        /// Both sides have a history of their own.
        public static let splitBrain = Kind("split-brain")
        /// The other site does not answer; ``peerFound`` ends it.
        public static let peerLost = Kind("peer-lost")
        public static let peerFound = Kind("peer-found")
        public static let replicaCreated = Kind("replica-created")
        public static let replicaDeleted = Kind("replica-deleted")
        public static let leadershipChanged = Kind("leadership-changed")
        /// The reader was too slow: ``ReplicationEvent/count`` events before this one are lost to it.
        public static let eventsLost = Kind("events-lost")
    }

    public var kind: Kind
    public var time: WallTime
    /// Nil when it is not about one image or directory.
    public var subject: ReplicationSubject?
    /// The subject's status after it.
    public var status: ReplicationStatus?
    public var text: String
    /// For kinds that count something.
    public var count: Int

    public init(
        _ kind: Kind, subject: ReplicationSubject? = nil, status: ReplicationStatus? = nil, text: String = "",
        count: Int = 0, time: WallTime = .now()
    ) {
        self.kind = kind
        self.subject = subject
        self.status = status
        self.text = text
        self.count = count
        self.time = time
    }
}
