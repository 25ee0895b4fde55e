public import RBDImage

/// Where an answer came from: decides whether "it is not there" may be believed.
public struct SourceIdentity: Hashable, Sendable {
    /// Cluster fsid.
    public var fsid: String
    /// Mirror uuid of the pool (default namespace).
    public var mirrorUUID: String

    public init(fsid: String, mirrorUUID: String) {
        self.fsid = fsid
        self.mirrorUUID = mirrorUUID
    }
}

/// What is known of one global image id before anything is done about it.
public struct BootstrapFacts: Hashable, Sendable {
    /// This side's mirror record and what stands behind it.
    public struct Local: Hashable, Sendable {
        public var imageID: String
        public var record: MirrorImage
        /// Whether the image is in the pool's directory; a record alone is a rest of something interrupted.
        public var isInDirectory: Bool
        public var promotion: PromotionState
        /// Somebody asked for the replica to be made anew.
        public var resyncRequested: Bool

        public init(
            imageID: String, record: MirrorImage, isInDirectory: Bool = true, promotion: PromotionState,
            resyncRequested: Bool = false
        ) {
            self.imageID = imageID
            self.record = record
            self.isInDirectory = isInDirectory
            self.promotion = promotion
            self.resyncRequested = resyncRequested
        }
    }

    /// The source's image.
    public struct Remote: Hashable, Sendable {
        public var imageID: String
        /// Empty when the image is not in the directory, or has no header.
        public var name: String
        public var record: MirrorImage
        public var promotion: PromotionState

        /// Its record is there, and the image behind it is not.
        public var isMissing: Bool { name.isEmpty && record.state == .enabled }

        public init(imageID: String, name: String, record: MirrorImage, promotion: PromotionState) {
            self.imageID = imageID
            self.name = name
            self.record = record
            self.promotion = promotion
        }
    }

    /// What the source answered.
    public enum Answer: Hashable, Sendable {
        case image(Remote)
        /// It has no record of that global id, and said so itself. An image that is gone while its record is there is no proof.
        case absent
        /// No answer, or an error that says nothing about the image.
        case unreachable
    }

    public var local: Local?
    public var remote: Answer
    /// The local image that has the source image's name; nil when the name is free.
    public var localNameOwner: String?
    /// Who answered; when it said that the image is absent, as read after that answer. Without a uuid: nobody who can know.
    public var source: SourceIdentity
    /// Who has to answer: the source this pool is known to follow; nil when it has not been seen yet.
    public var knownSource: SourceIdentity?

    public init(
        local: Local?, remote: Answer, localNameOwner: String? = nil, source: SourceIdentity,
        knownSource: SourceIdentity? = nil
    ) {
        self.local = local
        self.remote = remote
        self.localNameOwner = localNameOwner
        self.source = source
        self.knownSource = knownSource
    }
}

/// What to do with an image that a daemon is to serve.
public enum ImageBootstrapPlan: Hashable, Sendable {
    /// Make the local image under that name.
    case create(name: String, mode: MirrorImage.Mode)
    /// Follow the source; the snapshot planner decides the rest.
    case replay
    /// Move the local image to the trash and begin again.
    case discard(DiscardReason)
    /// Move the local image to the trash: its source is gone, and that is proved.
    case delete
    /// Try again when something changes.
    case wait(WaitReason)
    /// Nothing to do until roles change or somebody decides.
    case stop(StopReason)

    /// Why a local image is thrown away.
    public enum DiscardReason: Hashable, Sendable {
        /// It was never linked to the source: its creation was interrupted.
        ///
        /// Take it out of the directory while its record still says *creating*, and only then set *disabling*:
        /// an interruption then leaves one of the two states that are recognised here.
        case halfBuilt
        /// Somebody asked for it.
        case resync
        /// The image is in the trash or gone; only its record is left.
        case interruptedRemoval
    }

    /// Why nothing can be done yet.
    public enum WaitReason: Hashable, Sendable {
        case sourceUnreachable
        /// A resync is asked for while the source is not primary.
        case resyncNeedsPrimary
        /// Somebody is disabling mirroring of the local image.
        case localDisabling
        /// The source's mirroring is being disabled: its record will be gone soon, or it will not.
        case remoteDisabling
    }

    /// Why the image is not replayed.
    public enum StopReason: Hashable, Sendable {
        case localPrimary
        case remoteNotPrimary
        /// The source has a record of the image and no image: that is no proof of anything, and the replica stays.
        case sourceMissing
        /// The source has no such image. What is here, if anything, is not deleted: it is no replica of it.
        case remoteRemoved
        /// The source has no such image, but it is not proved that the right source answered.
        case deletionHeld(DeletionDoubt)
        case forcePromoting
        case unknownPeer(String)
        case splitBrain(SnapshotPlan.SplitBrain)
        /// Another local image has that name.
        case nameClash(String)
        case malformed(String)
    }

    /// What is missing for a deletion.
    public enum DeletionDoubt: Hashable, Sendable {
        case sourceNotKnown
        case otherCluster
        case otherPool
        /// The pool that answered is not there any more, or is no longer mirrored.
        case poolGone
        /// So many replicas lost their sources at once that a person is to look.
        case many(Int)
    }
}
