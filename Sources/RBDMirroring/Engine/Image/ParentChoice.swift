internal import CephCore
internal import JournalReplay
internal import RBDImage

/// Finds what a replica is to be a clone of.
struct ParentChoice: Sendable {
    let pair: PoolPair

    enum Answer {
        case none
        case parent(ReplicaParent)
        /// Not to be had (yet): why, and what to do.
        case missing(String)
    }

    /// - Parameter overlap: What the source's oldest point sees of its parent, in bytes.
    func parent(of source: ImageHeader, overlap: UInt64) async throws -> Answer {
        guard overlap > 0, let record = source.parent else { return .none }
        let remotePool = try await remotePool(record)
        let images = MirrorDirectory(remotePool)
        let name = try await yieldingToCancellation { try await remotePool.imageName(ofID: record.imageID) } ?? record.imageID
        let title = "\(remotePool.name)/\(remotePool.namespace.isEmpty ? "" : remotePool.namespace + "/")\(name)"
        guard let mirrored = try await yieldingToCancellation({ try await images.image(record.imageID) }) else {
            return .missing("its parent \(title) is not mirrored: enable mirroring of the parent, or flatten this image on the primary")
        }
        guard let localPool = try await localPool(remotePool),
            let id = try await MirrorDirectory(localPool).imageID(ofGlobalID: mirrored.globalID),
            let parent = try await found({ () throws(CephError) in try await localPool.imageHeader(id) })
        else { return .missing("its parent \(title) is not here yet: the replica is made when the parent's is") }
        let remote = try await yieldingToCancellation { try await remotePool.imageHeader(record.imageID) }
        let twin = mirrored.mode == .journal
            ? try await journaledTwin(of: record.snapshotID, remote, parent, in: remotePool) : Self.twin(of: record.snapshotID, remote, parent)
        guard let snapshot = twin else {
            let point = remote.snapshot(record.snapshotID)?.name ?? "\(record.snapshotID)"
            return .missing("snapshot \(point) of its parent \(title) is not here (yet): it comes with the parent's next mirror snapshot or its journal, "
                + "unless it was removed on the primary: flatten this image there then")
        }
        let spec = ParentImageSpec(poolID: localPool.id, namespace: localPool.namespace, imageID: id, snapshotID: snapshot)
        return .parent(ReplicaParent(spec: spec, overlap: overlap))
    }

    /// The local parent's snapshot that is complete and stands for the source's: by the id map of a complete point, by name only
    /// where the local image is the primary.
    static func twin(of snapshot: UInt64, _ remote: ImageHeader, _ local: ImageHeader) -> UInt64? {
        if PromotionState(ofSnapshots: local.snapshots) == .primary {
            guard let name = remote.snapshot(snapshot)?.name else { return nil }
            return local.userSnapshots.first { $0.name == name }?.id
        }
        for point in local.mirrorSnapshots.reversed() {
            guard let mirror = point.mirror, mirror.complete, let id = mirror.snapshotIDs[snapshot] else { continue }
            if local.snapshot(id)?.isUser == true { return id }
        }
        return nil
    }

    /// The same in journal mode, where the two sides agree on names; nil until the parent's first copy is complete.
    private func journaledTwin(
        of snapshot: UInt64, _ remote: ImageHeader, _ local: ImageHeader, in pool: Pool
    ) async throws -> UInt64? {
        let (site, id) = (pair.localMirrorUUID, remote.id)
        let client = try await yieldingToCancellation { try await pool.journalHeader(of: id).client(site) }
        guard case .peer(let peer)? = try? client?.role(), peer.state == .replaying, let name = remote.snapshot(snapshot)?.name else { return nil }
        return local.userSnapshots.first { $0.name == name }?.id
    }

    private func remotePool(_ record: ParentRecord) async throws -> Pool {
        let own = pair.remote
        if record.poolID == own.id { return try own.inNamespace(record.namespace) }
        return try await yieldingToCancellation { try await own.cluster.pool(id: record.poolID).inNamespace(record.namespace) }
    }

    private func localPool(_ remote: Pool) async throws -> Pool? {
        let cluster = pair.local.cluster
        return try await found { () throws(CephError) in try await cluster.pool(remote.name).inNamespace(remote.namespace) }
    }

    private func found<T: Sendable>(_ read: () async throws(CephError) -> T) async throws(CephError) -> T? {
        do throws(CephError) { return try await read() } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
