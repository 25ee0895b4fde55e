internal import JournalReplay

/// Decides what follows from the epochs and clients of an image's two journals. Pure.
enum JournalPlanner {
    static func plan(_ facts: JournalFacts) -> JournalPlan {
        if facts.local.owner == .local { return .stop(.localPrimary) }
        if facts.isResyncRequested { return .stop(.resyncRequested) }
        guard let client = facts.client else {
            return .register(.init(imageID: facts.localImageID, state: facts.isFresh ? .syncing : .replaying))
        }
        guard var peer = facts.peer else {
            return .stop(.malformed("the source's journal has a record of this site (\(client.id)) that says nothing of a replica"))
        }
        guard peer.imageID == facts.localImageID else { return .stop(.splitBrain(.otherReplica(peer.imageID))) }
        if client.state == .disconnected { return .stop(.disconnected) }
        if peer.state == .syncing {
            if facts.local.owner == .site(facts.remoteMirrorUUID) { return .firstSync(peer) }
            // Promoted by force meanwhile, and demoted again: there is nothing to go on with.
            peer.state = .replaying
        }
        return verdict(facts, client, peer)
    }

    private static func verdict(_ facts: JournalFacts, _ client: JournalClient, _ peer: JournalClientRole.Peer) -> JournalPlan {
        let remote = relevant(facts)
        guard !remote.isEmpty else { return .stop(.splitBrain(.notFollowed)) }
        if facts.local.owner == .site(facts.remoteMirrorUUID) { return .replay(peer) }
        guard facts.local.owner == .orphan else { return .stop(.splitBrain(.notFollowed)) }
        switch reconnection(facts, remote) {
        case .none: return .stop(.splitBrain(.notFollowed))
        case .demoted: return .stop(.remoteDemoted)
        case .promoted(let tag):
            // A client begins where the slowest one is: what had been committed by then, beyond the promotion itself, is missing here.
            if let newest = client.committed.newest, (newest.tag, newest.entry) > (tag, 0) {
                return .stop(.splitBrain(.notKept(tag: newest.tag)))
            }
            return .replay(peer)
        }
    }

    /// The source's epochs that are no older than what the local one continues.
    private static func relevant(_ facts: JournalFacts) -> [(id: UInt64, epoch: JournalEpoch)] {
        let before = facts.local.predecessor
        guard before.isCommitted else { return facts.remote.last { $0.epoch.owner == .local }.map { [$0] } ?? [] }
        guard before.owner == .site(facts.remoteMirrorUUID) else { return facts.remote }
        return facts.remote.filter { $0.id >= before.tag }
    }

    private enum Reconnection {
        case none
        /// The demotion is the last there is.
        case demoted
        /// The epoch in which the source was promoted after the demotion.
        case promoted(UInt64)
    }

    /// Whether the source has the demotion that the local image stands at, and what follows on it.
    private static func reconnection(_ facts: JournalFacts, _ remote: [(id: UInt64, epoch: JournalEpoch)]) -> Reconnection {
        var demotion: UInt64?
        for (id, epoch) in remote {
            let before = epoch.predecessor
            if epoch.owner == .orphan, before.isCommitted, before.tag == facts.local.predecessor.tag, isTwin(before, facts) {
                demotion = id
            } else if let found = demotion, epoch.owner == .local, before.owner == .orphan, before.isCommitted, before.tag == found {
                return .promoted(id)
            } else {
                demotion = nil
            }
        }
        return demotion == nil ? .none : .demoted
    }

    /// Whether both sides mean the same primary, each in its own words.
    private static func isTwin(_ theirs: JournalEpoch.Predecessor, _ facts: JournalFacts) -> Bool {
        let ours = facts.local.predecessor
        if theirs.owner == .site(facts.localMirrorUUID) { return ours.owner == .local }
        return theirs.owner == .local && ours.owner == .site(facts.remoteMirrorUUID)
    }
}

extension JournalEpoch {
    /// The epoch of the source as it is written in the replica's journal: the owners by the names that they have there.
    func translated(localMirrorUUID: String, remoteMirrorUUID: String) -> JournalEpoch {
        func name(_ owner: Owner) -> Owner {
            if owner == .local { return .site(remoteMirrorUUID) }
            return owner == .site(localMirrorUUID) ? .local : owner
        }
        var copy = self
        copy.owner = name(owner)
        copy.predecessor.owner = name(predecessor.owner)
        return copy
    }
}
