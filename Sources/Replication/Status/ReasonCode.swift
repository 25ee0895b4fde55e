/// Why a replica is in the state it is in.
///
/// An open set: programs decide by these codes, people read ``ReplicationStatus/text``.
public struct ReasonCode: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
}

/// Nothing is wrong.
extension ReasonCode {
    /// The replica holds the newest complete point of the source.
    public static let upToDate = ReasonCode("up-to-date")
    /// Both sides are being looked at for the first time.
    public static let starting = ReasonCode("starting")
    public static let syncing = ReasonCode("syncing")
    /// Entries of the source's journal are being applied.
    public static let replayingJournal = ReasonCode("replaying-journal")
    /// Waits for its turn among the syncs that may run at once.
    public static let throttled = ReasonCode("throttled")
    /// The source has no point yet that could be synced.
    public static let waitingForSource = ReasonCode("waiting-for-source")
    /// This side is the primary: there is nothing to replicate here.
    public static let localPrimary = ReasonCode("local-primary")
    /// Stopped by an operator, until started again.
    public static let stoppedByOperator = ReasonCode("stopped-by-operator")
    public static let stopping = ReasonCode("stopping")
}

/// Roles changed; somebody did that on purpose.
extension ReasonCode {
    /// The other side is not written to, so nothing can come from there.
    public static let remoteNotPrimary = ReasonCode("remote-not-primary")
    /// The source was demoted and the replica holds its last point: ready to be promoted.
    public static let remoteDemoted = ReasonCode("remote-demoted")
    /// A forced promotion of the replica is under way.
    public static let forcePromoting = ReasonCode("force-promoting")
    /// The replica was promoted while its source was still primary.
    public static let forcePromoted = ReasonCode("force-promoted")
    /// Somebody asked for the replica to be made anew.
    public static let resyncRequested = ReasonCode("resync-requested")
    /// The source was removed or is no longer mirrored.
    public static let remoteRemoved = ReasonCode("remote-removed")
}

/// Somebody has to decide or repair something.
extension ReasonCode {
    /// Both sides have a history of their own; ``ReplicationStatus/text`` says how that was seen.
    public static let splitBrain = ReasonCode("split-brain")
    /// The replica belongs to another source site.
    public static let peerUnknown = ReasonCode("peer-unknown")
    /// The journal's owner has given up on this replica.
    public static let disconnected = ReasonCode("disconnected")
    /// Another image or directory of that name exists on the target.
    public static let nameClash = ReasonCode("name-clash")
    /// The target pool or cluster has no room left, or its quota is used up.
    public static let targetFull = ReasonCode("target-full")
    /// A user's capabilities do not allow a step; ``ReplicationStatus/text`` names it.
    public static let permissionDenied = ReasonCode("permission-denied")
    /// The source still says that it mirrors the image, and has none.
    public static let sourceMissing = ReasonCode("source-missing")
    /// A clone's parent is not mirrored.
    public static let parentMissing = ReasonCode("parent-missing")
    /// Deletions wait for a person because they are many at once.
    public static let deletionHeld = ReasonCode("deletion-held")
    /// What the cluster holds cannot be understood.
    public static let malformed = ReasonCode("malformed")
}

/// Expected to pass by itself; retried.
extension ReasonCode {
    /// The source's cluster did not answer within the deadline.
    public static let sourceUnreachable = ReasonCode("source-unreachable")
    /// The own cluster did not answer within the deadline.
    public static let targetUnreachable = ReasonCode("target-unreachable")
    /// The cluster has fenced this client; it starts again under a new name.
    public static let blocklisted = ReasonCode("blocklisted")
    /// The replica's lock is held by somebody else.
    public static let lockLost = ReasonCode("lock-lost")
    public static let bootstrapFailed = ReasonCode("bootstrap-failed")
    /// A step failed for a reason without a code of its own.
    public static let failed = ReasonCode("failed")
}
