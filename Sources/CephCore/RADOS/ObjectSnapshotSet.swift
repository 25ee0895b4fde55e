/// The revisions of one object that self-managed snapshots keep, oldest first.
public struct ObjectSnapshotSet: Hashable, Sendable {
    /// The newest snapshot context a write to the object carried.
    public let sequence: UInt64
    public let clones: [ObjectClone]

    public init(sequence: UInt64, clones: [ObjectClone]) {
        self.sequence = sequence
        self.clones = clones
    }

    /// The index in ``clones`` of the revision that serves reads at a snapshot; nil where the object does not exist there.
    ///
    /// As the OSD decides: newer than the last context is the head's; else the first clone from there on,
    /// if its oldest snapshot is not newer.
    public func index(serving snapshot: UInt64) -> Int? {
        if snapshot > sequence { return clones.lastIndex { $0.id == ObjectClone.headID } }
        guard let index = clones.firstIndex(where: { $0.id >= snapshot && $0.id != ObjectClone.headID }) else { return nil }
        guard let oldest = clones[index].snapshots.min(), oldest <= snapshot else { return nil }
        return index
    }
}

/// One revision of an object.
public struct ObjectClone: Hashable, Sendable {
    /// What the head has for an id.
    public static let headID: UInt64 = 0xffff_ffff_ffff_fffe

    /// The clone's id; ``headID`` for the head.
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
