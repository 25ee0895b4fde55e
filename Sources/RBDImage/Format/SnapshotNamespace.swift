/// What a snapshot is for.
///
/// Namespaces of newer releases arrive as ``unknown(type:body:)``.
public enum SnapshotNamespace: Hashable, Sendable {
    case user
    case group(GroupSnapshot)
    /// Removed by its owner and kept while clones need it.
    case trash(originalName: String, originalType: UInt32)
    case mirror(MirrorSnapshot)
    /// A namespace this version does not know, carried through as it came.
    case unknown(type: UInt32, body: [UInt8])
}

/// The group a snapshot belongs to.
public struct GroupSnapshot: Hashable, Sendable {
    public var pool: Int64
    public var group: String
    public var snapshot: String

    public init(pool: Int64, group: String, snapshot: String) {
        self.pool = pool
        self.group = group
        self.snapshot = snapshot
    }
}

/// The fields of a mirror snapshot.
public struct MirrorSnapshot: Hashable, Sendable {
    /// Whose point in time the snapshot is.
    public struct State: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Taken where the image was written.
        public static let primary = State(rawValue: 0)
        /// The last one before a demotion.
        public static let primaryDemoted = State(rawValue: 1)
        /// A replica's copy of a primary one.
        public static let nonPrimary = State(rawValue: 2)
        /// A replica's copy of a demotion: either side may be promoted from it.
        public static let nonPrimaryDemoted = State(rawValue: 3)

        public var isPrimary: Bool { self == .primary || self == .primaryDemoted }
        public var isNonPrimary: Bool { self == .nonPrimary || self == .nonPrimaryDemoted }
        public var isDemoted: Bool { self == .primaryDemoted || self == .nonPrimaryDemoted }
    }

    public var state: State
    /// On a replica: all data of the sync is in HEAD. On a primary: the state blob is written.
    public var complete: Bool
    /// Peers that still need the snapshot.
    public var peers: Set<String>
    /// On a replica: mirror uuid of the source site; empty on a primary and on an orphan.
    public var primaryMirrorUUID: String
    /// On a replica: id of the source snapshot. On a primary: `clean_since_snap_id`.
    public var primarySnapshotID: UInt64
    /// Where a copy in progress stands: the index of the last object done, in order.
    public var lastCopiedObject: UInt64
    /// Source snapshot id to local snapshot id.
    public var snapshotIDs: [UInt64: UInt64]

    public init(
        state: State, complete: Bool = false, peers: Set<String> = [], primaryMirrorUUID: String = "",
        primarySnapshotID: UInt64 = headSnapshotID, lastCopiedObject: UInt64 = 0, snapshotIDs: [UInt64: UInt64] = [:]
    ) {
        self.state = state
        self.complete = complete
        self.peers = peers
        self.primaryMirrorUUID = primaryMirrorUUID
        self.primarySnapshotID = primarySnapshotID
        self.lastCopiedObject = lastCopiedObject
        self.snapshotIDs = snapshotIDs
    }

    /// Made by a forced promotion: belongs to no source.
    public var isOrphan: Bool {
        state == .nonPrimary && primaryMirrorUUID.isEmpty && primarySnapshotID == headSnapshotID
    }
}
