/// The revisions of one object that self-managed snapshots keep, oldest first.
public struct ObjectSnapshotSet: Hashable, Sendable {
    /// The newest snapshot context a write to the object carried.
    public let sequence: UInt64
    public let clones: [ObjectClone]

    public init(sequence: UInt64, clones: [ObjectClone]) {
        self.sequence = sequence
        self.clones = clones
    }
}

/// One revision of an object.
public struct ObjectClone: Hashable, Sendable {
    /// The clone's id; `0xfffffffffffffffe` for the head.
    public let id: UInt64
    /// Snapshots it serves; empty for the head.
    public let snapshots: [UInt64]
    /// Bytes.
    public let size: UInt64
    /// Ranges it shares with the next newer revision.
    public let overlap: [Range<UInt64>]

    public init(id: UInt64, snapshots: [UInt64], size: UInt64, overlap: [Range<UInt64>]) {
        self.id = id
        self.snapshots = snapshots
        self.size = size
        self.overlap = overlap
    }
}
