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

    var replica: ReplicaImage { sides.replica }
    var source: ImageHeader { sides.source.header }

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
            from: plan.from, localStart: plan.localStart, to: plan.to, creations: (users.creations + pending.keys).sorted(),
            readsMaps: !header.isCloneMadeByOthers(plan.localStart))
        let isRepeated = plan.replaces != nil || !pending.isEmpty
        if isRepeated { try await removeAbandoned(stages, localStart: plan.localStart) }
        let base = isRepeated ? try await mapBefore(plan.localStart, working: plan.replaces) : try await replica.loadObjectMap()
        let chain = MapChain(base: base ?? ObjectMap(count: 0), revisions: stages.map(\.mapRevision))
        let marked = base == nil ? [] : chain.marked()

        // Before anything of HEAD changes, its size too, so that a forced promotion falls back from here on. But a stock daemon that
        // finishes this looks for user snapshots in the maps of newer mirror snapshots, so those of this point come before.
        let isFirst = stages.count == 1 && plan.localStart != nil
        let early = isFirst ? try await addWorkingSnapshot(plan, users.snapshotIDs, blob) : nil
        let mapping = try await addUserSnapshots(of: &stages, users.snapshotIDs, state, marked)
        let working = if let early { early } else { try await addWorkingSnapshot(plan, mapping, blob) }
        if base != nil { try await replica.saveObjectMap(marked.last!) }
        if let replaced = plan.replaces { try await replica.removeSnapshot(replaced) }
        return try await finish(
            stages, chain, hasMap: base != nil, working: working, state, blob, from: plan.isClean ? .max : 0,
            isExact: plan.baseIsExact, isFresh: plan.localStart == nil && plan.replaces == nil && sides.isNewImage,
            readsWhole: header.isClone && plan.replaces != nil || header.isCloneMadeByOthers(plan.localStart))
    }

    /// Goes on with a copy that was interrupted, by us or by a stock daemon.
    func run(_ plan: SnapshotPlan.Resume) async throws -> CopyProgress {
        let working = await replica.header.snapshot(plan.local)!.mirror!
        let begun = working.snapshotIDs.filter { $0.key > (plan.from ?? 0) && $0.value != headSnapshotID }
        let pending = begun.filter { source.snapshot($0.key)?.isUser ?? false }
        try await dropUnfinished(begun.filter { pending[$0.key] == nil }.map(\.value))
        let header = await replica.header
        let blob = try await stateBlob(plan)
        let state = try decodeState(blob, plan.to)
        var stages = try await stages(
            from: plan.from, localStart: plan.localStart, to: plan.to, creations: pending.keys.sorted(),
            readsMaps: !header.isCloneMadeByOthers(plan.localStart))
        let trust = try await distrust(&stages, plan)
        try await removeAbandoned(stages, localStart: plan.localStart)
        let base = try await mapBefore(plan.localStart, working: plan.local)
        // The working snapshot's map tells what the point before has brought, since that point's own is one behind.
        let continues = plan.localStart.map(header.isCopiedByOthers) ?? false
        let chain = MapChain(base: base ?? ObjectMap(count: 0), revisions: stages.map(\.mapRevision), continues: continues)
        let marked = base == nil ? [] : chain.marked()
        _ = try await addUserSnapshots(of: &stages, pending, state, marked)
        if base != nil { try await replica.saveObjectMap(marked.last!) }
        if continues { try await distrustMaps(of: pending.values) }
        if plan.localStart == nil { try await onFirstPoint() }
        // A number that stock left is a count, behind which it goes on itself: cut off before we record one, we would leave that trap.
        if plan.firstObject > 0 { try await replica.recordProgress(plan.local, lastCopied: plan.firstObject - 1, isOurs: trust.isOurs) }
        return try await finish(
            stages, chain, hasMap: base != nil, working: plan.local, state, blob, from: trust.isKnown ? plan.firstObject : 0,
            copiedBelow: header.isClone ? 0 : plan.firstObject, isExact: false, isFresh: false, readsWhole: header.isClone)
    }

    /// Removes user snapshots that the source has lost since they were made here: they are filled in part, if at all, and so are their
    /// maps.
    private func dropUnfinished(_ users: [UInt64]) async throws {
        let header = await replica.header
        for snapshot in users.compactMap(header.snapshot) where snapshot.isUser {
            if snapshot.protection != .unprotected { try await replica.setProtection(.unprotected, of: snapshot.id) }
            try await replica.removeSnapshot(snapshot.id)
        }
        try await replica.refresh()
    }

    /// How much of a copy that was begun is to be relied on.
    private struct Trust {
        /// All that is copied so far is ours.
        var isOurs: Bool
        /// And it is known what became of each object.
        var isKnown: Bool
    }

    /// Has HEAD compared where a stock daemon may have written to it, in this copy or in the one before, and where what an earlier
    /// attempt found out is not known, since every object has to be asked.
    private func distrust(_ stages: inout [Stage], _ plan: SnapshotPlan.Resume) async throws -> Trust {
        let header = await replica.header
        // Clones are read whole.
        guard !header.isClone else { return Trust(isOurs: false, isKnown: false) }
        let last = stages.count - 1
        let isBaseOurs = !(plan.localStart.map(header.isCopiedByOthers) ?? false)
        if !isBaseOurs { stages[last].suspects = ObjectSet(first: stages[last].objectCount) }
        var isOurs = isBaseOurs
        if isOurs, plan.firstObject > 0 { isOurs = try await replica.hasRecorded(plan.local, lastCopied: plan.firstObject) }
        let isKnown = isOurs && stages.allSatisfy { $0.states != nil && $0.suspects.isEmpty }
        stages[last].comparesTarget = !isBaseOurs || !isKnown && plan.firstObject > 0
        return Trust(isOurs: isOurs, isKnown: isKnown)
    }

    /// The state the working snapshot was made with; it may be missing with nothing copied yet.
    private func stateBlob(_ plan: SnapshotPlan.Resume) async throws -> [UInt8] {
        do throws(CephError) { return try await replica.pool.stateBlob(ofImage: replica.id, snapshot: plan.local) } catch {
            guard error.isNotFound else { throw error }
        }
        let blob = try await sides.source.stateBlob(of: plan.to)
        try await replica.writeStateBlob(blob, of: plan.local)
        return blob
    }

    /// Has HEAD equal a point that a stock daemon has copied, and seals it.
    ///
    /// Stock loses what was discarded in an object above all that was written to it, and what a rollback undid: every object is
    /// compared. A clone is copied again whole, since into objects that were the parent's before stock writes what changed and
    /// nothing else.
    func mend(_ snapshot: UInt64) async throws -> CopyProgress {
        let header = await replica.header
        let point = header.snapshot(snapshot)!.mirror!.primarySnapshotID
        let blob = try await sides.source.stateBlob(of: point)
        let state = try decodeState(blob, point)
        guard let end = source.snapshot(point) else { throw SyncError.sourceChanged(point, source.id) }
        let map = try await replica.loadObjectMap()
        let asked = header.isClone ? nil : try await objects(of: point, and: map)
        let stage = Stage(
            base: 0, end: point, objectCount: source.objectCount(forSize: end.size), objectCountBefore: header.largestObjectCount,
            states: asked == nil ? nil : ObjectDeltaMap(start: nil, rest: []), suspects: asked ?? .init(),
            comparesTarget: !header.isClone)
        let base = header.isClone ? nil : map
        let chain = MapChain(base: base ?? ObjectMap(count: 0), revisions: [stage.mapRevision], continues: base != nil)
        if map != nil { try await replica.saveObjectMap(chain.marked()[0]) }
        try await distrustMaps(of: header.snapshot(snapshot)!.mirror!.snapshotIDs.values)
        return try await finish(
            [stage], chain, hasMap: map != nil, working: snapshot, state, blob, from: 0, isExact: false, isFresh: false,
            readsWhole: header.isClone)
    }

    /// The objects that the source has at a point, or had before, and those that the replica has; nil where maps do not tell.
    private func objects(of point: UInt64, and own: ObjectMap?) async throws -> ObjectSet? {
        guard let own, let states = try await SourceHistory(sides.source).delta(from: nil, to: point) else { return nil }
        var objects = states.touchedSet
        objects.formUnion(ObjectSet(presentIn: own))
        return objects
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
        /// Objects that are asked whatever the maps say.
        var suspects = ObjectSet()
        /// The target is compared with it, whatever is said of the changes since its base.
        var comparesTarget = false
        /// The local snapshot of it; nil for HEAD.
        var local: UInt64?

        var mapRevision: MapChain.Revision { MapChain.Revision(states: states, suspects: suspects, objectCount: objectCount) }
    }

    private func decodeState(_ blob: [UInt8], _ snapshot: UInt64) throws -> ImageState {
        do throws(WireError) { return try ImageState(encoded: blob) } catch {
            throw CephError.undecodable(error, operation: "read image state", subject: "\(source.id)@\(snapshot)")
        }
    }

    func stages(
        from start: UInt64?, localStart: UInt64?, to end: UInt64, creations: [UInt64], readsMaps: Bool
    ) async throws -> [Stage] {
        let history = SourceHistory(sides.source)
        let lost = await snapshotsLost(since: localStart)
        var stages: [Stage] = []
        var base = start
        var before = await replica.header.largestObjectCount
        for point in creations + [end] {
            let count = source.objectCount(forSize: source.snapshot(point)!.size)
            var stage = Stage(
                base: base ?? 0, end: point, objectCount: count, objectCountBefore: before,
                states: readsMaps ? try await history.delta(from: base, to: point) : nil)
            if let states = stage.states {
                stage.suspects = try await history.suspects(
                    in: states, from: base, to: point, lost: lost, earlier: stages.compactMap(\.states))
            }
            stages.append(stage)
            base = point
            before = count
        }
        return stages
    }

    /// The source's user snapshots that were there at a point that is here and are gone; `[0]` when nobody knows.
    private func snapshotsLost(since localStart: UInt64?) async -> [UInt64] {
        guard let localStart else { return [] }
        guard let start = await replica.header.snapshot(localStart)?.mirror, start.state.isNonPrimary else { return [0] }
        return start.snapshotIDs.filter { $0.value != headSnapshotID && source.snapshot($0.key) == nil }.map(\.key)
    }
}

extension ImageHeader {
    /// Whether something of it comes from a parent.
    var isClone: Bool { widestOverlap > 0 }

    /// A clone whose objects may lack what the parent had in them: stock writes into them only what changed.
    func isCloneMadeByOthers(_ localStart: UInt64?) -> Bool { isClone && localStart.map(isCopiedByOthers) ?? false }

    /// A point that a stock daemon has copied: the snapshot, with its map, keeps what was there before.
    func isCopiedByOthers(_ point: UInt64) -> Bool {
        guard let mirror = snapshot(point)?.mirror else { return false }
        return mirror.state.isNonPrimary && !SealedPoint.isSealed(mirror)
    }

    /// Objects that HEAD has, or had at a point that was copied or begun.
    var largestObjectCount: UInt64 {
        objectCount(forSize: max(size, mirrorSnapshots.map(\.size).max() ?? 0))
    }
}
