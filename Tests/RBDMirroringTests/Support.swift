import RBDImage
import RBDMirroring

/// Site "b" (local) replicates from site "a" (remote); `peerB` is b's record on a, `peerA` a's record on b.
enum Site {
    static let a = "uuid-of-a", b = "uuid-of-b"
    static let peerA = "record-of-a-on-b", peerB = "record-of-b-on-a"
}

func context(resync: Bool = false, removed: Bool = false, peer: String = Site.peerB) -> SnapshotPlanContext {
    SnapshotPlanContext(
        localMirrorUUID: Site.b, remoteMirrorUUID: Site.a, remotePeerUUID: peer, localPeerUUIDs: [Site.peerA],
        resyncRequested: resync, remoteRemoved: removed)
}

private func snapshot(_ id: UInt64, _ mirror: MirrorSnapshot) -> ImageSnapshot {
    ImageSnapshot(
        id: id, name: ".mirror.\(id)", namespace: .mirror(mirror), size: 4 << 20,
        timestamp: CephTime(seconds: UInt32(1000 + id)))
}

/// A primary snapshot; linked to b unless told otherwise.
func primary(
    _ id: UInt64, peers: Set<String> = [Site.peerB], complete: Bool = true, cleanSince: UInt64 = headSnapshotID
) -> ImageSnapshot {
    snapshot(id, .init(state: .primary, complete: complete, peers: peers, primarySnapshotID: cleanSince))
}

/// The last snapshot of a demoted primary.
func demotion(_ id: UInt64, peers: Set<String> = [Site.peerB], complete: Bool = true) -> ImageSnapshot {
    snapshot(id, .init(state: .primaryDemoted, complete: complete, peers: peers))
}

/// A finished copy of source snapshot `of`. Sealed (ours) when nothing was copied under it.
func copy(
    _ id: UInt64, of source: UInt64, from uuid: String = Site.a, copied: UInt64 = 0, demoted: Bool = false,
    peers: Set<String> = []
) -> ImageSnapshot {
    snapshot(id, .init(
        state: demoted ? .nonPrimaryDemoted : .nonPrimary, complete: true, peers: peers, primaryMirrorUUID: uuid,
        primarySnapshotID: source, lastCopiedObject: copied, snapshotIDs: [source: headSnapshotID]))
}

/// A finished copy as a stock daemon makes it: taken before the copy, with the object count left in it.
func stockCopy(_ id: UInt64, of source: UInt64, demoted: Bool = false, peers: Set<String> = []) -> ImageSnapshot {
    copy(id, of: source, copied: 4, demoted: demoted, peers: peers)
}

/// A copy that is not finished.
func partial(
    _ id: UInt64, of source: UInt64, at object: UInt64 = 0, from uuid: String = Site.a, demoted: Bool = false
) -> ImageSnapshot {
    snapshot(id, .init(
        state: demoted ? .nonPrimaryDemoted : .nonPrimary, complete: false, primaryMirrorUUID: uuid,
        primarySnapshotID: source, lastCopiedObject: object))
}

func orphan(_ id: UInt64) -> ImageSnapshot { snapshot(id, .init(state: .nonPrimary, complete: true)) }

func strange(_ id: UInt64) -> ImageSnapshot { snapshot(id, .init(state: .init(rawValue: 9), complete: true)) }

func user(
    _ id: UInt64, _ name: String, size: UInt64 = 4 << 20, protected: Bool = false
) -> ImageSnapshot {
    ImageSnapshot(id: id, name: name, size: size, protection: protected ? .protected : .unprotected)
}

func trashed(_ id: UInt64, clones: UInt32 = 0) -> ImageSnapshot {
    ImageSnapshot(
        id: id, name: "trash-\(id)", namespace: .trash(originalName: "x", originalType: 3), size: 4 << 20,
        childCount: clones)
}

func plan(
    _ local: [ImageSnapshot], _ remote: [ImageSnapshot], _ context: SnapshotPlanContext = context()
) -> SnapshotPlan {
    SnapshotPlanner.plan(local: local, remote: remote, context: context)
}

func sync(
    from: UInt64?, to: UInt64, over local: UInt64?, replacing: UInt64? = nil, demotion: Bool = false,
    exact: Bool = true, clean: Bool = false
) -> SnapshotPlan {
    .sync(.init(from: from, to: to, localStart: local, replaces: replacing, isDemotion: demotion,
                baseIsExact: exact, isClean: clean))
}
