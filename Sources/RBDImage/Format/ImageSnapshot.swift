/// One snapshot of an image, of any namespace, as its header records it.
public struct ImageSnapshot: Hashable, Sendable, Identifiable {
    public var id: UInt64
    public var name: String
    public var namespace: SnapshotNamespace
    /// Image size when the snapshot was made, in bytes.
    public var size: UInt64
    public var timestamp: CephTime
    /// Clones that hang on it (clone format 2).
    public var childCount: UInt32
    public var protection: SnapshotProtection
    /// Object-map flags of this revision.
    public var flags: ImageFlags
    /// The part of the parent it sees, in bytes; nil without a parent.
    public var parentOverlap: UInt64?

    public init(
        id: UInt64, name: String, namespace: SnapshotNamespace = .user, size: UInt64,
        timestamp: CephTime = .zero, childCount: UInt32 = 0,
        protection: SnapshotProtection = .unprotected, flags: ImageFlags = [], parentOverlap: UInt64? = nil
    ) {
        self.id = id
        self.name = name
        self.namespace = namespace
        self.size = size
        self.timestamp = timestamp
        self.childCount = childCount
        self.protection = protection
        self.flags = flags
        self.parentOverlap = parentOverlap
    }

    /// The mirror fields, when this is a mirror snapshot.
    public var mirror: MirrorSnapshot? {
        if case .mirror(let mirror) = namespace { mirror } else { nil }
    }

    public var isUser: Bool { namespace == .user }
}

/// The id of HEAD in every RBD interface (`CEPH_NOSNAP`).
public let headSnapshotID: UInt64 = 0xffff_ffff_ffff_fffe

/// Ceph's `utime_t`: seconds and nanoseconds since 1970.
public struct CephTime: Hashable, Comparable, Sendable {
    public var seconds: UInt32
    public var nanoseconds: UInt32
    public static let zero = CephTime(seconds: 0, nanoseconds: 0)

    public init(seconds: UInt32, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (a: CephTime, b: CephTime) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

/// Whether a snapshot may be removed or cloned.
public struct SnapshotProtection: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let unprotected = SnapshotProtection(rawValue: 0)
    /// Being looked through for clones before it is unprotected.
    public static let unprotecting = SnapshotProtection(rawValue: 1)
    /// Cannot be removed; may have clones.
    public static let protected = SnapshotProtection(rawValue: 2)
}

/// Flags of an image or of one of its snapshots.
public struct ImageFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The map may deny objects that exist: `rbd object-map rebuild`.
    public static let objectMapInvalid = ImageFlags(rawValue: 1)
    /// The map may call written objects clean.
    public static let fastDiffInvalid = ImageFlags(rawValue: 2)
}
