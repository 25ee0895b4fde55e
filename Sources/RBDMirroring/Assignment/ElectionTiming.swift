/// How long daemons wait for a silent leader, and a leader for silent daemons.
public struct ElectionTiming: Hashable, Sendable {
    /// Time between two heartbeats (`rbd_mirror_leader_heartbeat_interval`).
    public var heartbeatInterval: Duration
    /// Heartbeats that may be missed before the lock is tried (`rbd_mirror_leader_max_missed_heartbeats`).
    public var maxMissedHeartbeats: Int
    /// Refusals by a silent leader after which it is fenced (`rbd_mirror_leader_max_acquire_attempts_before_break`).
    public var maxAcquireAttemptsBeforeBreak: Int

    public init(
        heartbeatInterval: Duration = .seconds(5), maxMissedHeartbeats: Int = 2, maxAcquireAttemptsBeforeBreak: Int = 3
    ) {
        precondition(heartbeatInterval > .zero && maxMissedHeartbeats > 0 && maxAcquireAttemptsBeforeBreak > 0)
        self.heartbeatInterval = heartbeatInterval
        self.maxMissedHeartbeats = maxMissedHeartbeats
        self.maxAcquireAttemptsBeforeBreak = maxAcquireAttemptsBeforeBreak
    }

    /// Silence of the leader after which the lock is tried, and tried again.
    public var leaderSilence: Duration { heartbeatInterval * maxMissedHeartbeats }

    /// Silence of a daemon after which it is dead, and after which a daemon must think itself dead.
    public var daemonSilence: Duration { heartbeatInterval * (1 + maxMissedHeartbeats + maxAcquireAttemptsBeforeBreak) }
}
