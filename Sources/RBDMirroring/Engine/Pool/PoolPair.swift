internal import CephCore
internal import RBDImage
internal import SnapshotDelta

/// One pool (and namespace) on both sites, as one peer relation sees it.
struct PoolPair: Sendable {
    let local: Pool
    let remote: Pool
    /// Mirror uuids of the pools' default namespaces: the sites' identities.
    let localMirrorUUID: String
    let remoteMirrorUUID: String
    /// Our own peer record on the remote pool: what its mirror snapshots list us by.
    let remotePeerUUID: String
    /// The local pool's records of the remote site.
    let localPeerUUIDs: Set<String>
    /// Peers that local demoted points are kept for.
    let transmitPeers: Set<String>
    let resources: SharedResources

    var localImages: MirrorDirectory { MirrorDirectory(local) }
    var remoteImages: MirrorDirectory { MirrorDirectory(remote) }
}

/// What all replayers of a process share.
struct SharedResources: Sendable {
    let memory: BufferPool
    let limits: CopyLimits
    /// Stored with every lock, so that a successor recognises a dead owner.
    let identity: String
    let snapshotIDs: SnapshotIDs
    let journals: JournalFollowing
}
