public import RBDImage

/// How far the two sides are apart, for statuses.
public struct SnapshotOverview: Hashable, Sendable {
    /// When the newest complete mirror snapshot of the source was taken.
    public var sourcePoint: CephTime?
    /// When the *source* snapshot was taken that the newest complete local one stands for; nil without such a pair.
    public var replicaPoint: CephTime?
    /// Complete source snapshots that are for us and not here, the one being copied included.
    public var pending: Int

    /// Reads both sides; the snapshots may come in any order.
    public init(local: [ImageSnapshot], remote: [ImageSnapshot], context: SnapshotPlanContext) {
        let mine = LocalPoints(local)
        let theirs = RemotePoints(remote, context)
        sourcePoint = theirs.points.last { $0.isComplete }?.timestamp
        let common = mine.base.flatMap { theirs.commonPoint(with: $0, context) }
        replicaPoint = mine.base.flatMap { base in
            guard base.state.isNonPrimary, base.mirror.primaryMirrorUUID == context.remoteMirrorUUID else { return nil }
            return theirs.point(base.mirror.primarySnapshotID)?.timestamp
        }
        let base = mine.base.flatMap { $0.state.isNonPrimary ? $0.mirror.primarySnapshotID : nil } ?? 0
        pending = theirs.candidates(after: max(base, common?.id ?? 0)).count { $0.isComplete }
    }
}
