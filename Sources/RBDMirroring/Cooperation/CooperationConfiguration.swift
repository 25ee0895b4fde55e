public import CephCore

/// How the daemons of a pool share its images.
public struct CooperationConfiguration: Hashable, Sendable {
    public var timing: ElectionTiming
    /// How the leader spreads images.
    public var assignment: ImageMapPolicy.Settings
    /// Syncs at once in a pool (`rbd_mirror_concurrent_image_syncs`); at least 1.
    public var concurrentSyncs: Int
    /// How long a notification waits for its answers before it is repeated.
    public var notifyTimeout: Duration
    /// How long a fenced client stays fenced (`rbd_blocklist_expire_seconds`).
    public var fenceDuration: Duration

    public init(
        timing: ElectionTiming = .init(), assignment: ImageMapPolicy.Settings = .init(), concurrentSyncs: Int = 5,
        notifyTimeout: Duration = .seconds(5), fenceDuration: Duration = .seconds(3600)
    ) {
        precondition(concurrentSyncs > 0 && notifyTimeout > .zero && fenceDuration > .zero)
        self.timing = timing
        self.assignment = assignment
        self.concurrentSyncs = concurrentSyncs
        self.notifyTimeout = notifyTimeout
        self.fenceDuration = fenceDuration
    }

    /// Reads the options that the stock daemon reads.
    ///
    /// Dead daemons are fenced whatever `rbd_blocklist_on_break_lock` says.
    public init(optionsOf cluster: Cluster) {
        self.init { try? cluster.option($0) }
    }

    /// Reads options by name; one that is missing or out of range has its default.
    public init(option: (String) -> String?) {
        self.init()
        func number(_ name: String, _ least: Double) -> Double? {
            guard let value = option(name).flatMap(Double.init), value >= least, value <= 1e9 else { return nil }
            return value
        }
        func seconds(_ name: String, _ least: Double) -> Duration? { number(name, least).map { .seconds($0) } }
        if let interval = seconds("rbd_mirror_leader_heartbeat_interval", 0.1) { timing.heartbeatInterval = interval }
        if let missed = number("rbd_mirror_leader_max_missed_heartbeats", 1) { timing.maxMissedHeartbeats = Int(missed) }
        if let attempts = number("rbd_mirror_leader_max_acquire_attempts_before_break", 1) {
            timing.maxAcquireAttemptsBeforeBreak = Int(attempts)
        }
        if let type = option("rbd_mirror_image_policy_type").flatMap(ImageMapPolicy.Spread.init) { assignment.spread = type }
        if let throttle = seconds("rbd_mirror_image_policy_migration_throttle", 0) { assignment.migrationThrottle = throttle }
        if let interval = seconds("rbd_mirror_image_policy_update_throttle_interval", 0.001) { assignment.retryInterval = interval }
        if let timeout = seconds("rbd_mirror_image_policy_rebalance_timeout", 0) { assignment.rebalanceTimeout = timeout }
        if let syncs = number("rbd_mirror_concurrent_image_syncs", 0) { concurrentSyncs = syncs == 0 ? Int.max : Int(syncs) }
        if let expiry = seconds("rbd_blocklist_expire_seconds", 1) { fenceDuration = expiry }
    }
}
