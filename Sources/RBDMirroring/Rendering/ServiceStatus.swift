/// What a daemon tells the service map: which pools it serves and how they are.
///
/// `rbd mirror pool status` takes the daemon's health from the worst callout.
public struct ServiceStatus: Hashable, Sendable {
    /// A standing complaint.
    public struct Callout: Hashable, Sendable {
        public enum Level: String, Hashable, Sendable { case info, warning, error }
        public var level: Level
        public var text: String

        public init(level: Level, text: String) {
            self.level = level
            self.text = text
        }
    }

    /// How many images there are.
    public struct Counts: Hashable, Sendable {
        public var local: UInt64
        public var remote: UInt64

        public init(local: UInt64 = 0, remote: UInt64 = 0) {
            self.local = local
            self.remote = remote
        }
    }

    /// One pool.
    public struct Pool: Hashable, Sendable {
        public var name: String
        /// By number; a number stays with its complaint.
        public var callouts: [UInt64: Callout]
        /// The client that serves this pool; nil until it is there.
        public var instanceID: String?
        /// Nil while not known.
        public var isLeader: Bool?
        /// Images assigned to this instance.
        public var assigned: UInt64
        /// Of those, how many are in error, and how many need a look.
        public var errors: UInt64
        public var warnings: UInt64
        /// Images of the default namespace; only the leader knows.
        public var counts: Counts?
        /// Images of the other namespaces, by name.
        public var namespaces: [String: Counts]

        public init(
            name: String, callouts: [UInt64: Callout] = [:], instanceID: String? = nil, isLeader: Bool? = nil,
            assigned: UInt64 = 0, errors: UInt64 = 0, warnings: UInt64 = 0, counts: Counts? = nil,
            namespaces: [String: Counts] = [:]
        ) {
            self.name = name
            self.callouts = callouts
            self.instanceID = instanceID
            self.isLeader = isLeader
            self.assigned = assigned
            self.errors = errors
            self.warnings = warnings
            self.counts = counts
            self.namespaces = namespaces
        }
    }

    /// By pool id.
    public var pools: [Int64: Pool]

    public init(pools: [Int64: Pool] = [:]) { self.pools = pools }

    /// The value of the key `json` in the service status.
    public var json: String {
        StockJSON.object(pools.sorted { $0.key < $1.key }.map { ("\($0.key)", $0.value.json) }).string
    }

    /// The part of a user name that stock shows as the daemon's `client_id`.
    ///
    /// - Parameter entity: As in `client.rbd-mirror.b`.
    public static func clientID(ofEntity entity: String) -> String {
        var id = entity[...]
        if id.hasPrefix("client.") { id = id.dropFirst("client.".count) }
        if id.hasPrefix("rbd-mirror.") { id = id.dropFirst("rbd-mirror.".count) }
        return String(id)
    }
}

extension ServiceStatus.Pool {
    fileprivate var json: StockJSON {
        let callouts = callouts.sorted { $0.key < $1.key }.map { number, callout in
            (key: "\(number)", value: StockJSON.object([("level", .text(callout.level.rawValue)), ("text", .text(callout.text))]))
        }
        let namespaces = namespaces.sorted { $0.key < $1.key }.map { name, counts in
            (key: name, value: StockJSON.object([
                ("image_local_count", .count(counts.local)), ("image_remote_count", .count(counts.remote)),
            ]))
        }
        let attributes = StockJSON.sorted([
            "image_assigned_count": .count(assigned), "image_error_count": .count(errors),
            "image_warning_count": .count(warnings), "image_local_count": counts.map { .count($0.local) },
            "image_remote_count": counts.map { .count($0.remote) }, "instance_id": instanceID.map { .text($0) },
            "leader": isLeader.map { .flag($0) },
        ])
        guard case .object(let members) = attributes else { return attributes }
        let others: [(String, StockJSON)] = namespaces.isEmpty ? [] : [("namespaces", .object(namespaces))]
        return .object([("name", .text(name)), ("callouts", .object(callouts))] + members + others)
    }
}
