internal import RBDImage

/// Decides what a daemon does with an image it was given, before it replays.
public enum ImageBootstrapPlanner {
    /// Plans for one global image id.
    public static func plan(_ facts: BootstrapFacts) -> ImageBootstrapPlan {
        guard let local = facts.local else { return withoutLocal(facts) }
        if local.promotion == .primary { return .stop(.localPrimary) }
        if local.record.state == .creating { return .discard(.halfBuilt) }
        guard local.isInDirectory else {
            return local.record.state == .disabling
                ? .discard(.interruptedRemoval) : .stop(.malformed("the mirror record of \(local.imageID) has no image"))
        }
        if local.promotion == .nonPrimary(primaryMirrorUUID: "") { return .stop(.forcePromoting) }
        switch facts.remote {
        case .unreachable: return .wait(.sourceUnreachable)
        case .absent: return withoutSource(local, facts)
        case .image(let remote): return withBoth(local, remote, facts)
        }
    }

    private static func withoutLocal(_ facts: BootstrapFacts) -> ImageBootstrapPlan {
        switch facts.remote {
        case .unreachable: return .wait(.sourceUnreachable)
        case .absent: return .stop(.remoteRemoved)
        case .image(let remote):
            if remote.record.state == .disabling { return .wait(.remoteDisabling) }
            if remote.isMissing { return .stop(.sourceMissing) }
            guard remote.record.state == .enabled, remote.promotion == .primary else { return .stop(.remoteNotPrimary) }
            if facts.localNameOwner != nil { return .stop(.nameClash(remote.name)) }
            return .create(name: remote.name, mode: remote.record.mode)
        }
    }

    /// A replica goes with its source, but only with the very source it was filled from.
    private static func withoutSource(_ local: BootstrapFacts.Local, _ facts: BootstrapFacts) -> ImageBootstrapPlan {
        guard case .nonPrimary(let uuid) = local.promotion else { return .stop(.remoteRemoved) }
        guard !facts.source.mirrorUUID.isEmpty else { return .stop(.deletionHeld(.poolGone)) }
        guard uuid == facts.source.mirrorUUID else { return .stop(.unknownPeer(uuid)) }
        guard let known = facts.knownSource else { return .stop(.deletionHeld(.sourceNotKnown)) }
        guard !known.fsid.isEmpty, known.fsid == facts.source.fsid else { return .stop(.deletionHeld(.otherCluster)) }
        guard known.mirrorUUID == facts.source.mirrorUUID else { return .stop(.deletionHeld(.otherPool)) }
        return .delete
    }

    private static func withBoth(
        _ local: BootstrapFacts.Local, _ remote: BootstrapFacts.Remote, _ facts: BootstrapFacts
    ) -> ImageBootstrapPlan {
        if remote.record.state == .disabling { return .wait(.remoteDisabling) }
        if remote.isMissing { return .stop(.sourceMissing) }
        if local.record.mode != remote.record.mode { return .stop(.splitBrain(.modeMismatch)) }
        if case .nonPrimary(let uuid) = local.promotion, uuid != facts.source.mirrorUUID, !local.resyncRequested {
            return .stop(.unknownPeer(uuid))
        }
        let isPrimary = remote.record.state == .enabled && remote.promotion == .primary
        if local.resyncRequested { return isPrimary ? .discard(.resync) : .wait(.resyncNeedsPrimary) }
        if local.record.state == .disabling { return .wait(.localDisabling) }
        if isPrimary { return .replay }
        // A demoted source may still have a last point for us; one that is a replica itself has none.
        return remote.promotion == .orphan && local.promotion != .unknown ? .replay : .stop(.remoteNotPrimary)
    }
}
