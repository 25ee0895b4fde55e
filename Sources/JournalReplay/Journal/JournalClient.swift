public import CephCore

/// Somebody who reads a journal, the image itself included: what it has not committed stays.
public struct JournalClient: Hashable, Sendable, Identifiable {
    /// The image's own.
    public static let imageID = ""

    /// ``imageID``, the mirror uuid of a peer's pool, or the name of a tool.
    public var id: String
    /// What the client keeps here for itself.
    public var data: [UInt8]
    public var committed: JournalCommitPosition
    public var state: State

    public init(id: String, data: [UInt8] = [], committed: JournalCommitPosition = .init(), state: State = .connected) {
        (self.id, self.data, self.committed, self.state) = (id, data, committed, state)
    }

    /// Whether the journal is kept for it.
    public struct State: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let connected = State(rawValue: 0)
        /// Was too slow, or was cut off: entries that it needs may be gone.
        public static let disconnected = State(rawValue: 1)
    }

    /// What it says of itself; nil for a tool that says nothing.
    ///
    /// - Throws: ``WireError`` for data that is not librbd's.
    public func role() throws(WireError) -> JournalClientRole? { data.isEmpty ? nil : try JournalClientRole(encoded: data) }
}

/// What a client of an image's journal is.
public enum JournalClientRole: Hashable, Sendable {
    case image(OwnImage)
    case peer(Peer)
    case tool
    /// A kind this version does not know, carried through as it came.
    case unknown(type: UInt32, body: [UInt8])

    /// The image that the journal belongs to.
    public struct OwnImage: Hashable, Sendable {
        public var tagClass: UInt64
        /// The image is to be made anew from its peer.
        public var isResyncRequested: Bool

        public init(tagClass: UInt64, isResyncRequested: Bool = false) {
            (self.tagClass, self.isResyncRequested) = (tagClass, isResyncRequested)
        }
    }

    /// A replica of the image on another cluster.
    public struct Peer: Hashable, Sendable {
        /// Of the replica.
        public var imageID: String
        public var state: State
        /// Objects that its first copy has done, for progress.
        public var syncedObjects: UInt64
        /// Two at most.
        public var syncPoints: [SyncPoint]
        /// Ids of the image's snapshots to those of the replica's.
        public var snapshotIDs: [UInt64: UInt64]

        public init(
            imageID: String, state: State = .replaying, syncedObjects: UInt64 = 0, syncPoints: [SyncPoint] = [],
            snapshotIDs: [UInt64: UInt64] = [:]
        ) {
            (self.imageID, self.state, self.syncedObjects) = (imageID, state, syncedObjects)
            (self.syncPoints, self.snapshotIDs) = (syncPoints, snapshotIDs)
        }

        public struct State: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt32
            public init(rawValue: UInt32) { self.rawValue = rawValue }
            /// The first copy is not complete.
            public static let syncing = State(rawValue: 0)
            public static let replaying = State(rawValue: 1)
        }
    }

    /// A snapshot that a first copy is made from.
    public struct SyncPoint: Hashable, Sendable {
        public var snapshot: JournalSnapshot
        /// The snapshot that is there already; empty at first.
        public var from: String
        /// The last object that was copied.
        public var lastObject: UInt64?

        public init(_ snapshot: JournalSnapshot, from: String = "", lastObject: UInt64? = nil) {
            (self.snapshot, self.from, self.lastObject) = (snapshot, from, lastObject)
        }
    }
}
