/// Everything one engine knows about itself at one moment.
public struct Report: Hashable, Sendable, Codable {
    /// One replicated image or directory.
    public struct Entry: Hashable, Sendable, Codable {
        public var subject: ReplicationSubject
        public var status: ReplicationStatus

        public init(subject: ReplicationSubject, status: ReplicationStatus) {
            self.subject = subject
            self.status = status
        }
    }

    /// A standing complaint about a pool, a peer or the engine.
    public struct Callout: Hashable, Sendable, Codable {
        /// How bad it is; an open set.
        public struct Level: RawRepresentable, Hashable, Sendable, Codable {
            public var rawValue: String
            public init(rawValue: String) { self.rawValue = rawValue }
            public static let warning = Level(rawValue: "warning")
            public static let error = Level(rawValue: "error")
        }

        public var level: Level
        public var reason: ReasonCode
        public var text: String

        public init(level: Level, reason: ReasonCode, text: String) {
            self.level = level
            self.reason = reason
            self.text = text
        }
    }

    /// As in `rbd-mirror`.
    public var engine: String
    /// The client instance that writes.
    public var instance: String
    /// When the report was made.
    public var taken: WallTime
    public var entries: [Entry]
    public var callouts: [Callout]

    public init(
        engine: String, instance: String, taken: WallTime = .now(), entries: [Entry] = [], callouts: [Callout] = []
    ) {
        self.engine = engine
        self.instance = instance
        self.taken = taken
        self.entries = entries
        self.callouts = callouts
    }

    /// Counts the entries by state.
    public var stateCounts: [ReplicationStatus.State: Int] {
        entries.reduce(into: [:]) { $0[$1.status.state, default: 0] += 1 }
    }

    /// The largest lag of all replicas, in seconds.
    public func worstLag(at now: WallTime = .now()) -> Double? {
        entries.compactMap { $0.status.lag(at: now) }.max()
    }
}
