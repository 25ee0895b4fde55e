internal import CephCore
internal import Foundation
internal import RBDImage
internal import SnapshotDelta

extension SnapshotSync {
    /// Copies the data, proves the source, and adds the sealed snapshot.
    func finish(
        _ stages: [Stage], _ chain: MapChain, hasMap: Bool, working: UInt64, _ state: ImageState, _ blob: [UInt8],
        from first: UInt64, isExact: Bool, isFresh: Bool
    ) async throws -> CopyProgress {
        let replica = sides.replica
        var chain = chain
        let header = await replica.header
        let copier = ObjectCopier(
            revisions: try revisions(stages, header, isExact: isExact),
            sourceName: { [source = sides.source.header] in source.objectName($0) }, targetName: { header.objectName($0) },
            objectSize: header.layout.objectSize, proof: SourceProof { try await prove(stages) },
            memory: sides.memory, targetIsFresh: isFresh)
        var recorded = ContinuousClock.now
        let onProgress = onProgress
        let progress = try await ImageCopy(copier: copier, limits: sides.limits).run(from: first) { outcome, progress in
            chain.record(outcome)
            onProgress(progress)
            if let mark = progress.lastCopied, mark > 0, recorded.duration(to: .now) > .milliseconds(500) {
                recorded = .now
                try await replica.recordProgress(working, lastCopied: mark)
            }
        }
        try await prove(stages)
        if hasMap {
            for (stage, map) in zip(stages, chain.final()) { try await replica.saveObjectMap(map, of: stage.local) }
        }
        try await apply(state, working)
        try await seal(working, blob, objectCount: stages.last!.objectCount)
        return progress
    }

    private func revisions(_ stages: [Stage], _ header: ImageHeader, isExact: Bool) throws -> [CopyRevision] {
        try stages.map { stage in
            let context = stage.local.map { header.writeContext(olderThan: $0) } ?? header.writeContext
            return CopyRevision(
                base: stage.base, end: stage.end, source: try sides.source.dataPool.reading(at: stage.end),
                target: try sides.replica.dataPool.writing(in: context), objectCount: stage.objectCount,
                states: stage.states, baseIsExact: isExact)
        }
    }

    /// Reads the source's header again: every point that was read from must still be there.
    ///
    /// A snapshot that is being removed is in the trash namespace before its data goes.
    private func prove(_ stages: [Stage]) async throws {
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
    func apply(_ state: ImageState, _ working: UInt64) async throws {
        let replica = sides.replica
        let header = try await replica.refresh()
        if let name = try await replica.pool.imageName(ofID: replica.id), name != state.name {
            try await replica.rename(from: name, to: state.name)
        }
        try await applyFeatures(state, header)
        try await applyMetadata(state, header)
        try await applySnapshots(state, header, working)
        let limit = state.snapshotLimit == .max ? nil : Optional(state.snapshotLimit)
        if limit != header.snapshotLimit { try await replica.setSnapshotLimit(limit) }
    }

    private func applyFeatures(_ state: ImageState, _ header: ImageHeader) async throws {
        let wanted = state.features.subtracting(.implicit)
        let present = header.comparableFeatures
        let mask = wanted.symmetricDifference(present).intersection(.mutable)
        guard !mask.isEmpty else { return }
        try await ReplicaFeatures(replica: sides.replica).change(to: wanted, mask: mask)
    }

    private func applyMetadata(_ state: ImageState, _ header: ImageHeader) async throws {
        for key in header.metadata.keys.sorted() where state.metadata[key] == nil && !key.hasPrefix(".rbd") {
            try await sides.replica.removeMetadata(key)
        }
        try await sides.replica.setMetadata(state.metadata.filter { header.metadata[$0.key] != $0.value })
    }

    private func applySnapshots(_ state: ImageState, _ header: ImageHeader, _ working: UInt64) async throws {
        let mapping = header.snapshot(working)?.mirror?.snapshotIDs ?? [:]
        for (id, wanted) in state.snapshots.sorted(by: { $0.key < $1.key }) {
            guard let local = mapping[id].flatMap({ header.snapshot($0) }) else { continue }
            if local.name != wanted.name { try await sides.replica.renameSnapshot(local.id, to: wanted.name) }
            let protection: SnapshotProtection = wanted.protection == .protected ? .protected : .unprotected
            if local.protection != protection { try await sides.replica.setProtection(protection, of: local.id) }
        }
    }
}
