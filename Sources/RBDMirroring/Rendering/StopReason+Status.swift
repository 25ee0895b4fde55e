public import Replication

extension SnapshotPlan.StopReason {
    /// The status of an image whose replay ended for this reason.
    public func status(since time: WallTime = .now()) -> ReplicationStatus {
        let (state, reason, role, text): (ReplicationStatus.State, ReasonCode, ReplicationStatus.Role, String) = switch self {
        case .resyncRequested: (.stopped, .resyncRequested, .replica, "a resync was requested")
        case .forcePromoting: (.stopped, .forcePromoting, .replica, "a forced promotion is under way")
        case .forcePromoted: (.stopped, .forcePromoted, .primary, "the local image was promoted by force")
        case .unknownPeer(let uuid): (.error, .peerUnknown, .replica, "the replica belongs to the site \(uuid)")
        case .splitBrain(let how): (.error, .splitBrain, .replica, "split-brain: \(how.text)")
        case .remoteDemoted: (.unknown, .remoteDemoted, .replica, "the source was demoted and all of it is here")
        case .remoteNotPrimary: (.unknown, .remoteNotPrimary, .replica, "the source is not primary")
        case .remoteRemoved: (.stopped, .remoteRemoved, .replica, "the source is no longer mirrored")
        case .peerUnknown:
            (.error, .waitingForSource, .replica, "failed to retrieve mirror peer uuid from remote pool")
        case .malformed(let text): (.error, .malformed, .replica, text)
        }
        return ReplicationStatus(role: role, state: state, reason: reason, text: text, since: time)
    }
}

extension SnapshotPlan.SplitBrain {
    /// How it was seen, for people.
    public var text: String {
        switch self {
        case .demotionNotFollowed(let id): "the source does not follow on from our demotion (snapshot \(id))"
        case .baseMissing(let id): "the source no longer has the point the replica stands at (snapshot \(id))"
        case .modeMismatch: "one side mirrors by journal, the other by snapshot"
        }
    }
}

extension JournalPlan.StopReason {
    /// The status of an image whose replay ended for this reason.
    func status(since time: WallTime = .now()) -> ReplicationStatus {
        let (state, reason, role, text): (ReplicationStatus.State, ReasonCode, ReplicationStatus.Role, String) = switch self {
        case .localPrimary: (.stopped, .localPrimary, .primary, "the local image is primary")
        case .resyncRequested: (.stopped, .resyncRequested, .replica, "a resync was requested")
        case .remoteDemoted: (.unknown, .remoteDemoted, .replica, "the source was demoted and all of it is here")
        case .disconnected:
            (.error, .disconnected, .replica, "the source has cut this site off, its journal may have gone on without: resync the image")
        case .splitBrain(let how): (.error, .splitBrain, .replica, "split-brain: \(how.text)")
        case .malformed(let text): (.error, .malformed, .replica, text)
        }
        return ReplicationStatus(role: role, state: state, reason: reason, text: text, since: time)
    }
}

extension JournalPlan.SplitBrain {
    /// How it was seen, for people.
    var text: String {
        switch self {
        case .otherReplica(let id): "the source's journal is kept for another replica of this site (image id \(id))"
        case .notFollowed: "the source's epochs do not follow on from those of the replica"
        case .notKept(let tag): "the source's journal was not kept for this site: what was written before its epoch \(tag) is missing"
        }
    }
}

extension ImageBootstrapPlan.StopReason {
    /// The status of an image that is not replayed for this reason.
    public func status(since time: WallTime = .now()) -> ReplicationStatus {
        let (state, reason, role, text): (ReplicationStatus.State, ReasonCode, ReplicationStatus.Role, String) = switch self {
        case .localPrimary: (.stopped, .localPrimary, .primary, "the local image is primary")
        case .remoteNotPrimary: (.unknown, .remoteNotPrimary, .replica, "the source is not primary")
        case .sourceMissing:
            (.error, .sourceMissing, .replica, "the source's image is gone, but not its mirror record: the replica is kept")
        case .remoteRemoved: (.stopped, .remoteRemoved, .replica, "the source is no longer mirrored")
        case .deletionHeld(let doubt): (.error, .deletionHeld, .replica, "the replica is kept: \(doubt.text)")
        case .forcePromoting: (.stopped, .forcePromoting, .replica, "a forced promotion is under way")
        case .unknownPeer(let uuid): (.error, .peerUnknown, .replica, "the replica belongs to the site \(uuid)")
        case .splitBrain(let how): (.error, .splitBrain, .replica, "split-brain: \(how.text)")
        case .nameClash(let name): (.error, .nameClash, .replica, "another local image has the name \(name): rename or remove one of the two")
        case .malformed(let text): (.error, .malformed, .replica, text)
        }
        return ReplicationStatus(role: role, state: state, reason: reason, text: text, since: time)
    }
}

extension ImageBootstrapPlan.DeletionDoubt {
    /// For people: what is wrong, and the way out.
    public var text: String {
        switch self {
        case .sourceNotKnown: "the source was never seen with it; \(Self.byHand)"
        case .otherCluster: "another cluster than its source answered; \(Self.byHand)"
        case .otherPool: "another pool than its source answered; \(Self.byHand)"
        case .poolGone: "its source's pool is gone or no longer mirrored; \(Self.byHand)"
        case .many(let count):
            "\(count) replicas lost their sources at once; "
                + "rbd mirror image resync deletes this one, rbd mirror image promote --force keeps it"
        }
    }

    private static let byHand = "to remove it, use rbd mirror image disable --force and rbd rm"
}

extension ImageBootstrapPlan.WaitReason {
    /// The status of an image that waits for this.
    public func status(since time: WallTime = .now()) -> ReplicationStatus {
        let (state, reason, text): (ReplicationStatus.State, ReasonCode, String) = switch self {
        case .sourceUnreachable: (.error, .sourceUnreachable, "the source does not answer")
        case .resyncNeedsPrimary: (.unknown, .remoteNotPrimary, "a resync waits for a primary source")
        case .localDisabling: (.stopped, .stopping, "mirroring of the local image is being disabled")
        case .remoteDisabling: (.unknown, .remoteNotPrimary, "mirroring of the source is being disabled")
        }
        return ReplicationStatus(role: .replica, state: state, reason: reason, text: text, since: time)
    }
}
