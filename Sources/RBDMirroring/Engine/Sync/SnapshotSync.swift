internal import CephCore
internal import Foundation
internal import RBDImage
internal import SnapshotDelta

/// What one sync needs to know of both sides.
struct SyncSides: Sendable {
    let replica: ReplicaImage
    let source: SourceImage
    let globalID: String
    /// Mirror uuid of the source's pool.
    let sourceMirrorUUID: String
    /// The local pool's peers that a demoted point is kept for.
    let localPeers: Set<String>
    let memory: BufferPool
    let limits: CopyLimits
    /// The replica was created for this sync: nothing is in it.
    var isNewImage = false
}

/// Why a sync ended without a new point.
struct SyncError: Error, CustomStringConvertible {
    /// What it reads where it has nothing itself would be missing.
    static let parentLost = SyncError(
        description: "the source is a clone and the replica is none: have it made anew with rbd mirror image resync")
    /// A source snapshot that was read from is gone: what looked like a hole is no proof of one.
    static func sourceChanged(_ snapshot: UInt64, _ image: String) -> SyncError {
        SyncError(description: "source snapshot \(snapshot) of image \(image) went away during the copy")
    }
    let description: String
}

/// Copies one point of the source image to the replica, from the plan to the sealed snapshot.
///
/// Everything it leaves behind when it is interrupted is what the planner goes on from.
struct SnapshotSync {
    let sides: SyncSides
    let onProgress: @Sendable (CopyProgress) async -> Void
    /// Called once the replica has its first mirror snapshot.
    let onFirstPoint: @Sendable () async throws -> Void

    private var replica: ReplicaImage { sides.replica }
    private var source: ImageHeader { sides.source.header }

    /// Copies a new point.
    ///
    /// - Returns: What was copied.
    func run(_ plan: SnapshotPlan.Sync) async throws -> CopyProgress {
        let blob = try await sides.source.stateBlob(of: plan.to)
        let state = try decodeState(blob, plan.to)
        let parent = ParentUpkeep(sides: sides)
        try await parent.check(plan.to)
        if let from = plan.from, let local = plan.localStart { try await parent.prepare(from: from, local: local, to: plan.to) }
        let users = try await reconcile(plan, state)
        // Made by an attempt that was given up, and maybe filled in part: filled again as those that are made now.
        let pending = users.snapshotIDs.filter { $0.key > plan.from ?? 0 }
        let header = await replica.header
        var stages = try await stages(
            from: plan.from, to: plan.to, creations: (users.creations.map(\.source) + pending.keys).sorted(),
            readsMaps: !header.isCloneMadeByOthers(plan.localStart))
        let isRepeated = plan.replaces != nil || !pending.isEmpty
        if isRepeated { try await removeAbandoned(stages, localStart: plan.localStart) }
        let base = try await startMap(plan.localStart, isRepeated: isRepeated)
        let chain = MapChain(base: base ?? ObjectMap(count: 0), revisions: stages.map(\.mapRevision))
        let marked = base == nil ? [] : chain.marked()
        var mapping = users.snapshotIDs
        for index in stages.indices.dropLast() {
            if let local = pending[stages[index].end] {
                if base != nil { try await replica.saveObjectMap(marked[index], of: local) }
                stages[index].local = local
                continue
            }
            let creation = users.creations.first { $0.source == stages[index].end }!
            try await replica.setSize(creation.size, parentOverlap: source.snapshot(creation.source)?.parentOverlap)
            if base != nil { try await replica.saveObjectMap(marked[index]) }
            let id = try await replica.addSnapshot(creation.name, .user)
            mapping[creation.source] = id
            stages[index].local = id
        }
        // The working snapshot keeps the state before HEAD's own changes, and so does its map.
        let end = source.snapshot(plan.to)!
        try await replica.setSize(end.size, parentOverlap: end.parentOverlap)
        let working = try await addWorkingSnapshot(plan, mapping, blob)
        if base != nil { try await replica.saveObjectMap(marked.last!) }
        if let replaced = plan.replaces { try await replica.removeSnapshot(replaced) }
        return try await finish(
            stages, chain, hasMap: base != nil, working: working, state, blob, from: plan.isClean ? .max : 0,
            isExact: plan.baseIsExact, isFresh: plan.localStart == nil && plan.replaces == nil && sides.isNewImage,
            readsWhole: header.isClone && plan.replaces != nil || header.isCloneMadeByOthers(plan.localStart))
    }

    /// The object map before the first revision, nil without the feature; HEAD's own is ahead of it after an attempt that was given up.
    private func startMap(_ localStart: UInt64?, isRepeated: Bool) async throws -> ObjectMap? {
        guard let head = try await replica.loadObjectMap() else { return nil }
        guard isRepeated else { return head }
        guard let localStart else { return ObjectMap(count: 0) }
        return try await replica.loadObjectMap(of: localStart)
    }

    /// Goes on with a copy that was interrupted, by us or by a stock daemon.
    func run(_ plan: SnapshotPlan.Resume) async throws -> CopyProgress {
        let working = await replica.header.snapshot(plan.local)!.mirror!
        let blob: [UInt8]
        do throws(CephError) {
            blob = try await replica.pool.stateBlob(ofImage: replica.id, snapshot: plan.local)
        } catch {
            guard error.isNotFound else { throw error }
            blob = try await sides.source.stateBlob(of: plan.to)
            try await replica.writeStateBlob(blob, of: plan.local)
        }
        let state = try decodeState(blob, plan.to)
        let pending = working.snapshotIDs.filter { $0.key > (plan.from ?? 0) && $0.value != headSnapshotID }.keys
        let header = await replica.header
        var stages = try await stages(
            from: plan.from, to: plan.to, creations: pending.filter { source.snapshot($0) != nil }.sorted(),
            readsMaps: !header.isCloneMadeByOthers(plan.localStart))
        for index in stages.indices.dropLast() { stages[index].local = working.snapshotIDs[stages[index].end] }
        try await removeAbandoned(stages, localStart: plan.localStart)
        let hasMap = try await replica.loadObjectMap() != nil
        let base = hasMap && plan.localStart != nil ? try await replica.loadObjectMap(of: plan.localStart) : nil
        let chain = MapChain(base: base ?? ObjectMap(count: 0), revisions: stages.map(\.mapRevision))
        if hasMap {
            for (stage, map) in zip(stages, chain.marked()) { try await replica.saveObjectMap(map, of: stage.local) }
        }
        if plan.localStart == nil { try await onFirstPoint() }
        // Where every object has to be asked, what an earlier attempt found out is not known: begin again.
        let isKnown = !header.isClone && stages.allSatisfy { $0.states != nil }
        return try await finish(
            stages, chain, hasMap: hasMap, working: plan.local, state, blob, from: isKnown ? plan.firstObject : 0,
            isExact: false, isFresh: false, readsWhole: header.isClone)
    }

    /// Copies a clone's point again that a stock daemon has copied, and seals it: into objects that were the parent's before,
    /// stock writes what changed and nothing else.
    func mend(_ snapshot: UInt64) async throws -> CopyProgress {
        let header = await replica.header
        let point = header.snapshot(snapshot)!.mirror!.primarySnapshotID
        let blob = try await sides.source.stateBlob(of: point)
        let state = try decodeState(blob, point)
        guard let end = source.snapshot(point) else { throw SyncError.sourceChanged(point, source.id) }
        let stage = Stage(
            base: 0, end: point, objectCount: source.objectCount(forSize: end.size), objectCountBefore: header.largestObjectCount,
            states: nil)
        let hasMap = try await replica.loadObjectMap() != nil
        let chain = MapChain(base: ObjectMap(count: 0), revisions: [stage.mapRevision])
        if hasMap { try await replica.saveObjectMap(chain.marked()[0]) }
        return try await finish(
            [stage], chain, hasMap: hasMap, working: snapshot, state, blob, from: 0, isExact: false, isFresh: false, readsWhole: true)
    }

    /// Adds the sealed snapshot for a point that HEAD holds already.
    func seal(_ snapshot: UInt64) async throws {
        let record = await replica.header.snapshot(snapshot)!.mirror!
        let name = SealedPoint.name(globalImageID: sides.globalID, uuid: UUID().uuidString.lowercased())
        let sealed = try await replica.addSnapshot(name, .mirror(SealedPoint.sealing(record)))
        if let blob = try? await replica.pool.stateBlob(ofImage: replica.id, snapshot: snapshot) {
            try await replica.writeStateBlob(blob, of: sealed)
        }
        try await replica.notifyHeaderUpdate()
    }
}

extension SnapshotSync {
    /// One revision to be copied.
    struct Stage {
        let base: UInt64
        let end: UInt64
        let objectCount: UInt64
        /// Objects the replica may have before.
        let objectCountBefore: UInt64
        let states: ObjectDeltaMap?
        /// The local snapshot of it; nil for HEAD.
        var local: UInt64?

        var mapRevision: MapChain.Revision { MapChain.Revision(states: states, objectCount: objectCount) }
    }

    private func decodeState(_ blob: [UInt8], _ snapshot: UInt64) throws -> ImageState {
        do throws(WireError) { return try ImageState(encoded: blob) } catch {
            throw CephError.undecodable(error, operation: "read image state", subject: "\(source.id)@\(snapshot)")
        }
    }

    private struct UserSnapshots {
        struct Creation { let source: UInt64, name: String, size: UInt64 }
        var snapshotIDs: [UInt64: UInt64]
        var creations: [Creation] = []
    }

    /// Clears the way for the snapshots that are to be made, and says which.
    private func reconcile(_ plan: SnapshotPlan.Sync, _ state: ImageState) async throws -> UserSnapshots {
        let header = await replica.header
        let start = header.snapshot(plan.localStart ?? 0)?.mirror
        let replaced = header.snapshot(plan.replaces ?? 0)?.mirror
        let known = (start?.snapshotIDs ?? [:]).merging(replaced?.snapshotIDs ?? [:]) { old, _ in old }
        let steps = SnapshotNameReconciler(
            remote: source.snapshots, local: header.snapshots, state: state, end: plan.to, start: plan.from,
            localStart: plan.localStart, known: known.filter { $0.value != headSnapshotID },
            matchesOlderByName: start?.state == .primaryDemoted
        ).plan()
        var users = UserSnapshots(snapshotIDs: steps.snapshotIDs)
        for step in steps.steps {
            switch step {
            case .unprotect(let id): try await replica.setProtection(.unprotected, of: id)
            case .remove(let id): try await replica.removeSnapshot(id)
            case .rename(let id, let name): try await replica.renameSnapshot(id, to: name)
            case .create(let source, let name, let size): users.creations.append(.init(source: source, name: name, size: size))
            }
        }
        try await replica.refresh()
        return users
    }

    private func stages(from start: UInt64?, to end: UInt64, creations: [UInt64], readsMaps: Bool) async throws -> [Stage] {
        let history = SourceHistory(sides.source)
        var stages: [Stage] = []
        var base = start
        var before = await replica.header.largestObjectCount
        for point in creations + [end] {
            let count = source.objectCount(forSize: source.snapshot(point)!.size)
            stages.append(Stage(
                base: base ?? 0, end: point, objectCount: count, objectCountBefore: before,
                states: readsMaps ? try await history.delta(from: base, to: point) : nil))
            base = point
            before = count
        }
        return stages
    }

    private func addWorkingSnapshot(
        _ plan: SnapshotPlan.Sync, _ mapping: [UInt64: UInt64], _ blob: [UInt8]
    ) async throws -> UInt64 {
        var snapshotIDs = mapping
        snapshotIDs[plan.to] = headSnapshotID
        let record = MirrorSnapshot(
            state: plan.isDemotion ? .nonPrimaryDemoted : .nonPrimary, peers: plan.isDemotion ? sides.localPeers : [],
            primaryMirrorUUID: sides.sourceMirrorUUID, primarySnapshotID: plan.to, snapshotIDs: snapshotIDs)
        let name = SealedPoint.name(globalImageID: sides.globalID, uuid: UUID().uuidString.lowercased())
        let id = try await replica.addSnapshot(name, .mirror(record))
        try await replica.writeStateBlob(blob, of: id)
        if plan.localStart == nil { try await onFirstPoint() }
        return id
    }
}

extension ImageHeader {
    /// Whether something of it comes from a parent.
    var isClone: Bool { widestOverlap > 0 }

    /// A clone whose objects may lack what the parent had in them: stock writes into them only what changed.
    func isCloneMadeByOthers(_ localStart: UInt64?) -> Bool {
        guard isClone, let localStart, let mirror = snapshot(localStart)?.mirror else { return false }
        return mirror.state.isNonPrimary && !SealedPoint.isSealed(mirror)
    }

    /// Objects that HEAD has, or had at a point that was copied or begun.
    var largestObjectCount: UInt64 {
        objectCount(forSize: max(size, mirrorSnapshots.map(\.size).max() ?? 0))
    }
}
