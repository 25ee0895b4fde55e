internal import RBDImage

/// One mirror snapshot of an image.
struct MirrorPoint: Hashable {
    var id: UInt64
    var mirror: MirrorSnapshot
    var timestamp: CephTime

    var state: MirrorSnapshot.State { mirror.state }
    var isComplete: Bool { mirror.complete }
}

/// The mirror snapshots of an image, oldest first.
func mirrorPoints(of snapshots: [ImageSnapshot]) -> [MirrorPoint] {
    snapshots
        .compactMap { snapshot in
            snapshot.mirror.map { MirrorPoint(id: snapshot.id, mirror: $0, timestamp: snapshot.timestamp) }
        }
        .sorted { $0.id < $1.id }
}

/// The local side, read.
struct LocalPoints {
    let points: [MirrorPoint]
    let newest: MirrorPoint?
    /// The newest complete point: what the replica falls back to. Orphans are none.
    let base: MirrorPoint?
    /// The newest snapshot, when it is a copy that was not finished.
    let unfinished: MirrorPoint?
    /// Snapshots whose removal was interrupted: in the trash, with no clone that would need them.
    let trash: [UInt64]

    init(_ snapshots: [ImageSnapshot]) {
        points = mirrorPoints(of: snapshots)
        newest = points.last
        base = points.last { $0.isComplete && !$0.mirror.isOrphan }
        unfinished = points.last.flatMap { $0.state.isNonPrimary && !$0.isComplete ? $0 : nil }
        trash = snapshots.filter { snapshot in
            if case .trash = snapshot.namespace { snapshot.childCount == 0 } else { false }
        }.map(\.id).sorted()
    }

    /// Why the local side alone forbids to go on.
    func objection(_ context: SnapshotPlanContext) -> SnapshotPlan.StopReason? {
        guard let newest else { return nil }
        if !newest.state.isPrimary && !newest.state.isNonPrimary {
            return .malformed("local mirror snapshot \(newest.id) has unknown state \(newest.state.rawValue)")
        }
        if newest.mirror.isOrphan { return .forcePromoting }
        if newest.state == .primary { return .forcePromoted }
        if newest.state == .primaryDemoted && !newest.isComplete {
            return .malformed("incomplete local primary snapshot")
        }
        for point in [newest, base].compactMap({ $0 }) where point.state.isNonPrimary {
            guard point.mirror.primaryMirrorUUID == context.remoteMirrorUUID else {
                return .unknownPeer(point.mirror.primaryMirrorUUID)
            }
        }
        if let base, base.state == .primary {
            return .malformed("a copy was begun over the primary snapshot \(base.id)")
        }
        return nil
    }

    /// What nobody needs any more, in an order that is safe to be cut short.
    ///
    /// Unfinished leftovers go first: as long as one is older than the newest complete point, a stock daemon
    /// that takes over would go on with it.
    func obsolete(_ context: SnapshotPlanContext) -> [UInt64] {
        let leftovers = points.filter { isLeftover($0) }
        let outdated = points.filter { isOutdated($0, context) }
        return trash + (leftovers + outdated).map(\.id)
    }

    /// An unfinished copy that something newer has replaced.
    private func isLeftover(_ point: MirrorPoint) -> Bool {
        guard point.state.isNonPrimary, !point.isComplete else { return false }
        if point.id != newest?.id { return true }
        guard let base, base.state.isNonPrimary else { return false }
        return point.mirror.primarySnapshotID == base.mirror.primarySnapshotID
    }

    /// A point older than the base that no peer can need.
    private func isOutdated(_ point: MirrorPoint, _ context: SnapshotPlanContext) -> Bool {
        guard let base, point.id < base.id else { return false }
        if point.state.isPrimary {
            return base.state.isNonPrimary && (!point.isComplete || needers(of: point, base, context).isEmpty)
        }
        guard point.state.isNonPrimary, point.isComplete else { return false }
        return needers(of: point, base, context).isEmpty || isSuperseded(point, by: base)
    }

    /// The peers that may still find their common point with us in it.
    ///
    /// Until the site we follow has followed our own demotion it may need what is linked to it. Once we hold a
    /// point it made as a primary, it has gone on from there.
    private func needers(of point: MirrorPoint, _ base: MirrorPoint, _ context: SnapshotPlanContext) -> Set<String> {
        base.state.isNonPrimary ? point.mirror.peers.subtracting(context.localPeerUUIDs) : point.mirror.peers
    }

    private func isSuperseded(_ point: MirrorPoint, by base: MirrorPoint) -> Bool {
        point.state == base.state && point.mirror.primarySnapshotID == base.mirror.primarySnapshotID
            && point.mirror.primaryMirrorUUID == base.mirror.primaryMirrorUUID
    }
}

/// The source, read.
struct RemotePoints {
    let points: [MirrorPoint]
    let newest: MirrorPoint?
    private let peer: String

    init(_ snapshots: [ImageSnapshot], _ context: SnapshotPlanContext) {
        points = mirrorPoints(of: snapshots)
        newest = points.last
        peer = context.remotePeerUUID
    }

    func isLinked(_ point: MirrorPoint) -> Bool { point.mirror.peers.contains(peer) }

    func point(_ id: UInt64) -> MirrorPoint? { points.first { $0.id == id } }

    /// The points to sync, oldest first: primary, for us, newer than what we have.
    ///
    /// One that was left incomplete while a newer one is complete is dead: its maker is gone.
    func candidates(after floor: UInt64) -> [MirrorPoint] {
        let all = points.filter { $0.state.isPrimary && $0.id > floor && isLinked($0) }
        let newestComplete = all.last { $0.isComplete }?.id ?? 0
        return all.filter { $0.isComplete || $0.id > newestComplete }
    }
}

/// The source snapshot that stands for the replica's base.
struct CommonPoint: Hashable {
    var id: UInt64
    /// Whether the replica's HEAD, with no copy begun, equals it byte for byte.
    var isExact: Bool
}

extension RemotePoints {
    /// Finds the source snapshot that the local base stands for; nil when the source has none.
    func commonPoint(with base: MirrorPoint, _ context: SnapshotPlanContext) -> CommonPoint? {
        if base.state.isNonPrimary { return sourcePoint(of: base) }
        let follower = points.last {
            $0.state == .nonPrimaryDemoted && $0.isComplete
                && $0.mirror.primaryMirrorUUID == context.localMirrorUUID && $0.mirror.primarySnapshotID == base.id
        }
        return follower.map { CommonPoint(id: $0.id, isExact: SealedPoint.isSealed($0.mirror)) }
    }

    /// The very snapshot, else the newest older one that was kept for us.
    private func sourcePoint(of base: MirrorPoint) -> CommonPoint? {
        let id = base.mirror.primarySnapshotID
        if let exact = point(id) {
            return CommonPoint(id: id, isExact: exact.state.isPrimary || SealedPoint.isSealed(exact.mirror))
        }
        let older = points.last { $0.id < id && $0.isComplete && $0.state.isPrimary && isLinked($0) }
        return older.map { CommonPoint(id: $0.id, isExact: false) }
    }
}
