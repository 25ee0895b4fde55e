/// What a replayer does next for an image in snapshot mode.
///
/// After each step both headers are read again and a new plan is made: a plan is never kept.
public enum SnapshotPlan: Hashable, Sendable {
    /// Remove these local mirror snapshots in this order.
    ///
    /// Any prefix of the list is a safe state. The newest complete point is never in it.
    case prune([UInt64])
    /// Take our peer uuid off these source snapshots; never the common point.
    case unlink([UInt64])
    /// Add the sealed snapshot for this complete local one, which a stock daemon made before it copied.
    ///
    /// Its fields come from ``SealedPoint/sealing(_:)``. The next plan prunes the old one and then syncs.
    case seal(UInt64)
    /// Copy a new point.
    case sync(Sync)
    /// Go on with a copy that was interrupted.
    case resume(Resume)
    /// Nothing to do until the source changes, and not because everything is here.
    case wait(WaitReason)
    /// Everything the source has is here.
    case idle
    /// End replaying this image.
    case stop(StopReason)

    /// A new point to copy.
    public struct Sync: Hashable, Sendable {
        /// Source snapshot the replica stands at; nil copies everything.
        public var from: UInt64?
        /// Source snapshot to reach.
        public var to: UInt64
        /// Newest complete local mirror snapshot, whose id map is the start of the new one.
        public var localStart: UInt64?
        /// An abandoned local snapshot: remove it once the new one is added, not before.
        ///
        /// While both are there a forced promotion still rolls back; with neither it would not.
        public var replaces: UInt64?
        /// Whether ``to`` is a demotion: the new snapshot is then `nonPrimaryDemoted` and carries the local peers.
        public var isDemotion: Bool
        /// Whether HEAD equals ``from`` on the source, byte for byte.
        ///
        /// When false, take every extent that *changed* between the two points. Do not leave one out because its
        /// content is equal in both: the replica may differ there. With ``from`` nil, HEAD may hold objects that
        /// the source has not.
        public var baseIsExact: Bool
        /// The source says that nothing was written since ``from``: no object needs a look.
        public var isClean: Bool

        public init(
            from: UInt64?, to: UInt64, localStart: UInt64?, replaces: UInt64? = nil, isDemotion: Bool = false,
            baseIsExact: Bool = true, isClean: Bool = false
        ) {
            self.from = from
            self.to = to
            self.localStart = localStart
            self.replaces = replaces
            self.isDemotion = isDemotion
            self.baseIsExact = baseIsExact
            self.isClean = isClean
        }
    }

    /// A copy to go on with.
    ///
    /// HEAD holds parts of ``to`` already: take every extent that changed, as with an inexact base.
    public struct Resume: Hashable, Sendable {
        /// The incomplete local mirror snapshot; its id map and image state count.
        public var local: UInt64
        public var from: UInt64?
        public var to: UInt64
        /// Newest complete local mirror snapshot.
        public var localStart: UInt64?
        /// Go on *at* this object; at or beyond the last one only the end of the sync is left.
        public var firstObject: UInt64

        public init(local: UInt64, from: UInt64?, to: UInt64, localStart: UInt64?, firstObject: UInt64) {
            self.local = local
            self.from = from
            self.to = to
            self.localStart = localStart
            self.firstObject = firstObject
        }
    }

    /// Why there is nothing to do yet.
    public enum WaitReason: Hashable, Sendable {
        /// The next source snapshot is still being made.
        case sourceSnapshotIncomplete(UInt64)
        /// The source has points, but none that lists us as a peer.
        case notLinked
        /// The point that was being copied is gone from the source, and there is no newer one yet.
        case targetLost(UInt64)
    }

    /// Why replaying ends.
    public enum StopReason: Hashable, Sendable {
        case resyncRequested
        /// A forced promotion has begun: let go of the image at once.
        case forcePromoting
        /// The newest local snapshot is a primary one.
        case forcePromoted
        /// The replica belongs to another site.
        case unknownPeer(String)
        case splitBrain(SplitBrain)
        /// All of the source is here and its last snapshot is a demotion: may be promoted.
        case remoteDemoted
        case remoteNotPrimary
        /// The source is no longer mirrored.
        case remoteRemoved
        /// Our own peer uuid on the source is not known, so no snapshot can be for us.
        case peerUnknown
        /// A local demotion was interrupted, or the header holds what cannot be.
        case malformed(String)
    }

    /// How a split-brain was seen.
    public enum SplitBrain: Hashable, Sendable {
        /// We were primary and demoted, and the source did not follow on from that.
        case demotionNotFollowed(local: UInt64)
        /// The point we stand at is no longer on the source, nor an older one that was kept for us.
        case baseMissing(remote: UInt64)
        /// One side mirrors by journal, the other by snapshot.
        case modeMismatch
    }
}

/// What the planner must know besides the snapshots.
public struct SnapshotPlanContext: Hashable, Sendable {
    /// Mirror uuid of the local pool (default namespace).
    public var localMirrorUUID: String
    /// Mirror uuid of the remote pool.
    public var remoteMirrorUUID: String
    /// The uuid of *our* peer record in the remote pool: the token in its snapshots' peer sets. Empty: not known.
    public var remotePeerUUID: String
    /// The uuids of the local pool's peer records that stand for the remote site.
    public var localPeerUUIDs: Set<String>
    /// The resync flag of the local image is set.
    public var resyncRequested: Bool
    /// An authoritative answer says that the source is not mirrored any more, or is being disabled.
    public var remoteRemoved: Bool

    public init(
        localMirrorUUID: String, remoteMirrorUUID: String, remotePeerUUID: String, localPeerUUIDs: Set<String> = [],
        resyncRequested: Bool = false, remoteRemoved: Bool = false
    ) {
        self.localMirrorUUID = localMirrorUUID
        self.remoteMirrorUUID = remoteMirrorUUID
        self.remotePeerUUID = remotePeerUUID
        self.localPeerUUIDs = localPeerUUIDs
        self.resyncRequested = resyncRequested
        self.remoteRemoved = remoteRemoved
    }
}
