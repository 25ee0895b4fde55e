internal import CephCore
internal import Foundation
internal import JournalReplay
internal import RBDImage
internal import SnapshotDelta

/// Fills a replica from a snapshot of its source, from which on the journal is replayed.
///
/// How far it is stands in the source's journal, with this site's client, as a stock daemon has it: either goes on from there.
struct JournalFirstSync: Sendable {
    let sides: JournalSides
    let settings: JournalSettings
    /// Makes what copies between the replica and a source.
    let copying: @Sendable (SourceImage) -> SnapshotSync
    let replica: ReplicaImage
    /// Nothing is in the replica.
    let isNew: Bool

    /// Copies, and leaves the client replaying from the snapshot on.
    func run(_ found: JournalClientRole.Peer) async throws -> CopyProgress {
        var (peer, source, names) = try await begin(found)
        let point = source.header.userSnapshots.first { $0.name == peer.syncPoints[0].snapshot.name }!
        let sync = copying(source)
        try await ParentUpkeep(sides: sync.sides).check(point.id)
        let isComplete = try await reconcile(&peer, source.header, point)
        let progress = try await copy(sync, &peer, point, names, from: isComplete ? peer.syncPoints[0].lastObject ?? 0 : 0)
        try await finish(peer)
        return progress
    }

    /// After a sync: what is left of its snapshots at the source goes.
    func clear(_ found: JournalClientRole.Peer) async throws {
        var peer = found
        try await removePoints(of: peer)
        (peer.state, peer.syncPoints) = (.replaying, [])
        try await sides.update(peer)
    }

    // MARK: The snapshot

    /// The source as it is with the snapshot, and what its snapshots were called then: what the journal says of them from there on
    /// goes by names.
    ///
    /// The snapshot is that of an earlier attempt, unless something that it began with is gone since.
    private func begin(_ found: JournalClientRole.Peer) async throws -> (JournalClientRole.Peer, SourceImage, [UInt64: String]) {
        var peer = found
        for _ in 0..<Self.mostPoints {
            let source = try await point(&peer)
            let (remote, client, name) = (sides.remote, sides.client, peer.syncPoints[0].snapshot.name)
            let names = try await yieldingToCancellation {
                try await remote.snapshotNames(since: name, after: try await remote.client(client).committed)
            }
            if !names.isOneGone {
                let now = source.header.userSnapshots.map { ($0.id, $0.name) }
                return (peer, source, names.names(Dictionary(uniqueKeysWithValues: now)))
            }
            try await removePoints(of: peer)
            peer.syncPoints = []
        }
        throw SyncError.restless(sides.remoteID)
    }

    /// More are not made one after the other.
    private static let mostPoints = 10

    /// The source with the snapshot of an earlier attempt, or a new one.
    private func point(_ peer: inout JournalClientRole.Peer) async throws -> SourceImage {
        let source = try await SourceImage.load(sides.remoteID, in: sides.pair.remote)
        let users = source.header.userSnapshots
        if peer.syncPoints.count == 1, let name = peer.syncPoints.first?.snapshot.name, users.contains(where: { $0.name == name }),
            peer.snapshotIDs.keys.allSatisfy({ id in users.contains { $0.id == id } }) { return source }
        try await removePoints(of: peer)
        let name = ".rbd-mirror.\(sides.client).\(UUID().uuidString.lowercased())"
        peer.syncPoints = [.init(JournalSnapshot(name))]
        peer.snapshotIDs = peer.snapshotIDs.filter { pair in users.contains { $0.id == pair.key } }
        // Recorded before it is there: whoever comes next knows of it.
        try await sides.update(peer)
        let (pool, id) = (sides.pair.remote, sides.remoteID)
        try await yieldingToCancellation {
            try await pool.withImage(id: id, for: .readWrite) { try await $0.createSnapshot(name, .skipQuiesce) }
        }
        let now = try await SourceImage.load(id, in: pool)
        guard now.header.userSnapshots.contains(where: { $0.name == name }) else { throw SyncError.pointLost(name, id) }
        return now
    }

    private func removePoints(of peer: JournalClientRole.Peer) async throws {
        let (pool, id) = (sides.pair.remote, sides.remoteID)
        for name in peer.syncPoints.map(\.snapshot.name) where !name.isEmpty {
            try await yieldingToCancellation {
                guard try await pool.imageHeader(id).userSnapshots.contains(where: { $0.name == name }) else { return }
                do {
                    try await pool.withImage(id: id, for: .readWrite) { try await $0.removeSnapshot(name) }
                } catch let error as CephError where error.isNotFound {}
            }
        }
    }

    // MARK: Snapshots of the replica

    /// Removes what stands for no snapshot of the source, or would come before one that is still to be made.
    ///
    /// - Returns: Whether all is there that is wanted.
    private func reconcile(_ peer: inout JournalClientRole.Peer, _ source: ImageHeader, _ point: ImageSnapshot) async throws -> Bool {
        let wanted = source.userSnapshots.filter { $0.id <= point.id }
        var free = await replica.header.userSnapshots
        var (ids, isComplete): ([UInt64: UInt64], Bool) = ([:], true)
        for snapshot in wanted {
            // Not by its name, which may have been another one's. What is not recorded has been there before any data.
            guard let twin = free.first(where: { $0.id == peer.snapshotIDs[snapshot.id] }), isComplete else {
                isComplete = false
                continue
            }
            ids[snapshot.id] = twin.id
            free.removeAll { $0.id == twin.id }
        }
        for snapshot in free {
            if snapshot.protection != .unprotected { try await replica.setProtection(.unprotected, of: snapshot.id) }
            try await replica.removeSnapshot(snapshot.id)
        }
        try await replica.refresh()
        peer.snapshotIDs = ids
        return isComplete
    }

    // MARK: Data

    private func copy(
        _ sync: SnapshotSync, _ peer: inout JournalClientRole.Peer, _ point: ImageSnapshot, _ names: [UInt64: String], from first: UInt64
    ) async throws -> CopyProgress {
        let source = sync.source
        let creations = source.userSnapshots.filter { $0.id < point.id }.map(\.id)
        var stages = try await sync.stages(from: nil, localStart: nil, to: point.id, creations: creations, readsMaps: true)
        // What an earlier attempt, from another snapshot, has copied and the source has lost since.
        if !isNew { try await sync.removeAbandoned(stages, localStart: nil) }
        // What somebody else has begun is compared in the end.
        let last = stages.count - 1
        let isClone = await replica.header.isClone
        stages[last].comparesTarget = !isNew && !isClone
        let hasMap = await replica.header.features.contains(.objectMap)
        var chain = MapChain(base: ObjectMap(count: 0), revisions: stages.map(\.mapRevision))
        let marked = hasMap ? chain.marked() : []
        let state = try await ImageState(of: source, names, in: sides.pair.remote)
        peer.snapshotIDs.merge(try await sync.addUserSnapshots(of: &stages, peer.snapshotIDs, state, marked)) { $1 }
        if hasMap { try await replica.saveObjectMap(marked[last]) }
        // The point, too: a stock daemon that goes on makes it otherwise, of what is there by then, and in the end its map HEAD's.
        if peer.snapshotIDs[point.id] == nil { peer.snapshotIDs[point.id] = try await replica.addSnapshot(point.name, .user) }
        try await sides.update(peer)
        stages[last].local = peer.snapshotIDs[point.id]

        let header = await replica.header
        let behind = BroughtBehind()
        let copier = try sync.copier(
            stages, header, isExact: false, readsWhole: false, isFresh: isNew, copiedBelow: isClone ? 0 : first, behind)
        var recorded = ContinuousClock.now
        let progress = try await ImageCopy(copier: copier, limits: sync.sides.limits).run { outcome, progress in
            chain.record(outcome)
            await sync.onProgress(progress)
            guard let mark = progress.lastCopied, mark > first, recorded.duration(to: .now) > settings.syncPointAge else { return }
            recorded = .now
            (peer.syncPoints[0].lastObject, peer.syncedObjects) = (mark, mark + 1)
            try await sides.update(peer)
        }
        try await sync.prove(stages)
        if hasMap {
            let maps = chain.final()
            for (stage, map) in zip(stages, maps) { try await replica.saveObjectMap(map, of: stage.local) }
            var head = maps[last]
            head.markAllClean()
            try await replica.saveObjectMap(head)
            try await behind.note(in: replica)
        }
        try await sync.apply(state, peer.snapshotIDs)
        peer.syncedObjects = stages[last].objectCount
        return progress
    }

    /// Goes on behind the snapshot: what the journal has before it is in the copy, in snapshots that were made then, too.
    private func finish(_ found: JournalClientRole.Peer) async throws {
        var peer = found
        let (remote, client, name) = (sides.remote, sides.client, peer.syncPoints[0].snapshot.name)
        try await yieldingToCancellation {
            let committed = try await remote.client(client).committed
            if let position = try await remote.position(ofSnapshot: name, after: committed) { try await remote.commit(client, position) }
        }
        peer.state = .replaying
        try await sides.update(peer)
        try await clear(peer)
    }
}

extension SyncError {
    fileprivate static func restless(_ image: String) -> SyncError {
        SyncError(description: """
            snapshots of source image \(image) are removed whenever its first copy begins: it is tried again, and succeeds once they stay
            """)
    }

    fileprivate static func pointLost(_ name: String, _ image: String) -> SyncError {
        SyncError(description: "snapshot \(name) of source image \(image) is not there although it was made")
    }
}

extension ImageState {
    /// What an image's header says of it now, its snapshots' names aside.
    fileprivate init(of header: ImageHeader, _ names: [UInt64: String], in pool: Pool) async throws {
        let id = header.id
        let name = try await yieldingToCancellation { try await pool.imageName(ofID: id) } ?? ""
        self.init(
            name: name, features: header.comparableFeatures, snapshotLimit: header.snapshotLimit ?? .max,
            snapshots: Dictionary(uniqueKeysWithValues: header.userSnapshots.map {
                ($0.id, Snapshot(name: names[$0.id] ?? $0.name, protection: $0.protection))
            }), metadata: header.metadata)
    }
}
