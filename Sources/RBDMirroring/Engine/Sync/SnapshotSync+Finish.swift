internal import CephCore
internal import Foundation
internal import RBDImage
internal import SnapshotDelta

extension SnapshotSync {
    /// Copies the data, proves the source, and adds the sealed snapshot.
    func finish(
        _ stages: [Stage], _ chain: MapChain, hasMap: Bool, working: UInt64, _ state: ImageState, _ blob: [UInt8],
        from first: UInt64, copiedBelow: UInt64 = 0, isExact: Bool, isFresh: Bool, readsWhole: Bool
    ) async throws -> CopyProgress {
        let replica = sides.replica
        var chain = chain
        let header = await replica.header
        let behind = BroughtBehind()
        let copier = try copier(
            stages, header, isExact: isExact, readsWhole: readsWhole, isFresh: isFresh, copiedBelow: copiedBelow, behind)
        // A point that is complete, and mended, must not be taken for an unfinished one.
        let record = header.snapshot(working)?.mirror
        let isUnfinished = record?.complete == false
        // With 0 a stock daemon takes the copy for one that has not begun: it makes the user snapshots anew, out of what is there.
        var onBegun: ((UInt64) async throws -> Void)?
        if isUnfinished, record?.lastCopiedObject == 0, stages.count > 1 {
            onBegun = { mark in try await replica.recordProgress(working, lastCopied: mark) }
        }
        var recorded = ContinuousClock.now
        let onProgress = onProgress
        let copy = ImageCopy(copier: copier, limits: sides.limits)
        let progress = try await copy.run(from: first, onBegun: onBegun) { outcome, progress in
            chain.record(outcome)
            await onProgress(progress)
            if isUnfinished, let mark = progress.lastCopied, mark > 0, recorded.duration(to: .now) > .milliseconds(500) {
                recorded = .now
                try await replica.recordProgress(working, lastCopied: mark)
            }
        }
        try await prove(stages)
        if hasMap {
            for (stage, map) in zip(stages, chain.final()) { try await replica.saveObjectMap(map, of: stage.local) }
            if chain.continues, isUnfinished { try await clearMap(of: working) }
            try await behind.note(in: replica)
        }
        try await apply(state, try await replica.refresh().snapshot(working)?.mirror?.snapshotIDs ?? [:])
        try await seal(working, blob, objectCount: stages.last!.objectCount)
        return progress
    }

    /// What copies the stages' objects.
    func copier(
        _ stages: [Stage], _ header: ImageHeader, isExact: Bool, readsWhole: Bool, isFresh: Bool, copiedBelow: UInt64,
        _ behind: BroughtBehind
    ) throws -> ObjectCopier {
        let (sides, source) = (sides, sides.source.header)
        var bringing: (@Sendable (UInt64, UInt64) async throws -> Void)?
        if header.isClone { bringing = { number, point in try await behind.bring(number, at: point, sides, header) } }
        return ObjectCopier(
            revisions: try revisions(stages, header, isExact: isExact, readsWhole: readsWhole),
            sourceName: { source.objectName($0) }, targetName: { header.objectName($0) }, objectSize: header.layout.objectSize,
            proof: SourceProof { try await prove(stages) }, memory: sides.memory, targetIsFresh: isFresh, copiedBelow: copiedBelow,
            bringingBehind: bringing)
    }

    /// What the working snapshot's map told is in that of the first point now, and would be told twice.
    private func clearMap(of working: UInt64) async throws {
        guard var map = try await sides.replica.loadObjectMap(of: working) else { return }
        map.markAllClean()
        try await sides.replica.saveObjectMap(map, of: working)
    }

    /// Has the maps of user snapshots that a stock daemon made or filled made anew from the objects before the point is sealed, and
    /// flagged until then.
    ///
    /// Over a point that stock has copied it calls those objects of a user snapshot clean which that point has changed.
    func distrustMaps(of users: some Sequence<UInt64>) async throws {
        let replica = sides.replica
        let header = try await replica.refresh()
        guard header.features.contains(.fastDiff) else { return }
        for id in Set(users) where header.snapshot(id)?.isUser ?? false {
            try await replica.setFlags(.fastDiffInvalid, mask: .fastDiffInvalid, of: id)
        }
        try await replica.refresh()
    }

    private func revisions(_ stages: [Stage], _ header: ImageHeader, isExact: Bool, readsWhole: Bool) throws -> [CopyRevision] {
        try stages.map { stage in
            let context = stage.local.map { header.writeContext(olderThan: $0) } ?? header.writeContext
            return CopyRevision(
                base: stage.base, end: stage.end, source: try sides.source.dataPool.reading(at: stage.end),
                target: try sides.replica.dataPool.writing(in: context), objectCount: stage.objectCount,
                objectCountBefore: stage.objectCountBefore, states: stage.states, suspects: stage.suspects, baseIsExact: isExact,
                readsWhole: readsWhole, comparesTarget: stage.comparesTarget, emptiedBelow: emptiedBelow(stage, header))
        }
    }

    /// Reads the source's header again: every point that was read from must still be there.
    ///
    /// A snapshot that is being removed is in the trash namespace before its data goes.
    func prove(_ stages: [Stage]) async throws {
        let now = try await sides.source.reloaded().header
        for id in stages.flatMap({ [$0.base, $0.end] }) where id != 0 {
            guard let snapshot = now.snapshot(id), snapshot.isUser || snapshot.mirror != nil else {
                throw SyncError.sourceChanged(id, now.id)
            }
        }
    }

    private func seal(_ working: UInt64, _ blob: [UInt8], objectCount: UInt64) async throws {
        let replica = sides.replica
        let record = try await replica.refresh().snapshot(working)!.mirror!
        let name = SealedPoint.name(globalImageID: sides.globalID, uuid: UUID().uuidString.lowercased())
        let sealed = try await replica.complete(
            working, objectCount: objectCount, sealedAs: name, SealedPoint.sealing(record))
        try await replica.writeStateBlob(blob, of: sealed)
        try await replica.notifyHeaderUpdate()
    }
}

extension SnapshotSync {
    /// Gives the replica the settings the source had: name, features, metadata, snapshot names and protection, limit.
    ///
    /// - Parameter mapping: The source's snapshots to the replica's, by their ids.
    func apply(_ state: ImageState, _ mapping: [UInt64: UInt64]) async throws {
        let replica = sides.replica
        let header = try await replica.refresh()
        try await replica.finishRename()
        let name = try await replica.pool.imageName(ofID: replica.id) ?? ""
        let settings = ImageStateDiff.Settings(
            name: name, features: header.features, snapshotLimit: header.snapshotLimit ?? .max, snapshots: header.snapshots,
            metadata: header.metadata)
        let steps = ImageStateDiff.steps(from: settings, to: state, snapshotIDs: mapping)
        for step in steps {
            switch step {
            case .renameImage(let new): try await rename(from: name, to: new)
            case .disableFeatures(let features): try await ReplicaFeatures(replica: replica).disable(features)
            case .enableFeatures(let features): try await ReplicaFeatures(replica: replica).enable(features)
            case .changeMetadata(let remove, let set): try await replica.changeMetadata(removing: remove, setting: set)
            case .unprotect(let id): try await replica.setProtection(.unprotected, of: id)
            case .remove(let id): try await replica.removeSnapshot(id)
            case .protect(let id): try await replica.setProtection(.protected, of: id)
            case .renameSnapshot(let id, let name): try await replica.renameSnapshot(id, to: name)
            case .setSnapshotLimit(let limit): try await replica.setSnapshotLimit(limit == .max ? nil : limit)
            }
        }
        // Of a feature that was switched on just now, or by a stock daemon, which leaves it at that.
        if steps.contains(where: { if case .enableFeatures = $0 { true } else { false } }) { try await replica.refresh() }
        try await replica.rebuildObjectMapsIfInvalid()
    }

    private func rename(from old: String, to new: String) async throws {
        do throws(CephError) { try await sides.replica.rename(from: old, to: new) } catch {
            throw error.alreadyExists ? NameClash(name: new) : error
        }
    }
}

/// Another local image has the name that the source gave to the replica.
struct NameClash: Error {
    let name: String
}
