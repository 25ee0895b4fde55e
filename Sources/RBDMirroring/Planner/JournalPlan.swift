internal import JournalReplay

/// What both sides show of an image in journal mode.
struct JournalFacts: Sendable {
    var localImageID: String
    /// The newest epoch of the local journal.
    var local: JournalEpoch
    /// Somebody asked for the replica to be made anew.
    var isResyncRequested = false
    /// This site's record in the source's journal; nil when there is none.
    var client: JournalClient?
    /// What that record says; nil when it cannot be understood, or is none of a replica.
    var peer: JournalClientRole.Peer?
    /// The source's epochs, ascending.
    var remote: [(id: UInt64, epoch: JournalEpoch)]
    /// Mirror uuids of the two pools.
    var localMirrorUUID: String
    var remoteMirrorUUID: String

    /// Whether nothing has been replayed here since the image was made.
    var isFresh: Bool { local.owner == .site(remoteMirrorUUID) && !local.predecessor.isCommitted }
}

/// What to do next for an image in journal mode.
enum JournalPlan: Hashable, Sendable {
    /// Make this site known to the source's journal, so that it is kept from now on.
    case register(JournalClientRole.Peer)
    /// Copy the image, or go on with that.
    case firstSync(JournalClientRole.Peer)
    /// Apply what the journal has behind the client's commit position.
    case replay(JournalClientRole.Peer)
    case stop(StopReason)

    enum StopReason: Hashable, Sendable {
        case localPrimary
        case resyncRequested
        /// The source was demoted, and so is the replica: either may be promoted.
        case remoteDemoted
        case disconnected
        case splitBrain(SplitBrain)
        case malformed(String)
    }

    /// How a split-brain was seen.
    enum SplitBrain: Hashable, Sendable {
        /// The source's record of this site is about another image.
        case otherReplica(String)
        /// The source's epochs do not follow on from the local ones.
        case notFollowed
        /// The source's journal was not kept for this site since the roles changed.
        case notKept(tag: UInt64)
    }
}
