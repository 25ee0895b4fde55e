public import CephCore

/// One step of history to be copied: what changed between two source points, and where it goes.
public struct CopyRevision: Sendable {
    /// The older source point; 0 for the beginning of time.
    public let base: UInt64
    /// The newer source point, a snapshot id.
    public let end: UInt64
    /// The source pool seen at ``end``.
    public let source: Pool
    /// The target pool with the context that keeps every older local point.
    public let target: Pool
    /// Objects of the image at ``end``.
    public let objectCount: UInt64
    /// Objects the target may have before; where no map tells, those beyond ``objectCount`` are removed.
    public let objectCountBefore: UInt64
    /// What the object maps say; nil where they cannot be trusted and each object must be asked.
    public let states: ObjectDeltaMap?
    /// Objects that are asked although ``states`` calls them untouched.
    public let suspects: ObjectSet

    /// The target equals the source's base, byte for byte; else whatever was written since counts as changed,
    /// also where it was written back.
    public let baseIsExact: Bool
    /// Nothing is known of what the target has: every object is read whole.
    public let readsWhole: Bool
    /// What the target has, however it came there, is compared with the source's end by checksums; what differs is written.
    ///
    /// Reads all of the objects on both sides, on their OSDs. Only true of the last revision: it is the one that HEAD is to equal.
    public let comparesTarget: Bool
    /// Objects below this number see a parent at the target and none at the source: they are emptied instead of removed.
    public let emptiedBelow: UInt64

    public init(
        base: UInt64, end: UInt64, source: Pool, target: Pool, objectCount: UInt64, objectCountBefore: UInt64 = 0,
        states: ObjectDeltaMap?, suspects: ObjectSet = .init(), baseIsExact: Bool = true, readsWhole: Bool = false, comparesTarget: Bool = false,
        emptiedBelow: UInt64 = 0
    ) {
        self.base = base
        self.end = end
        self.source = source
        self.target = target
        self.objectCount = objectCount
        self.objectCountBefore = objectCountBefore
        self.states = states
        self.suspects = suspects
        self.baseIsExact = baseIsExact
        self.readsWhole = readsWhole
        self.comparesTarget = comparesTarget
        self.emptiedBelow = emptiedBelow
    }
}
