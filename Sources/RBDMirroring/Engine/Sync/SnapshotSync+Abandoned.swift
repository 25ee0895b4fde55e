internal import RBDImage
internal import SnapshotDelta

extension SnapshotSync {
    /// Removes what only attempts have written whose points are gone from the source.
    ///
    /// Before anything else is changed: HEAD's map, its size and those of the snapshots still tell how far these have come.
    func removeAbandoned(_ stages: [Stage], localStart: UInt64?) async throws {
        let replica = sides.replica
        let header = await replica.header
        // The map of a point that stock has copied is one point behind: what that point brought would look abandoned.
        if let localStart, header.isCopiedByOthers(localStart) { return }
        let head = try await replica.loadObjectMap()
        var base = head.map { _ in ObjectMap(count: 0) }
        if head != nil, let localStart { base = try await replica.loadObjectMap(of: localStart) }
        let start = header.snapshot(localStart ?? 0).map { header.objectCount(forSize: $0.size) } ?? 0
        let abandoned = AbandonedObjects(base: base, baseCount: start, revisions: stages.map(\.mapRevision))
            .numbers(head: head, headCount: header.largestObjectCount)
        guard !abandoned.isEmpty else { return }
        try await replica.removeObjects(
            abandoned, emptiedBelow: emptiedBelow(stages.last!, header), objectsInFlight: sides.limits.objectsInFlight)
    }

    /// Objects below this number have to hide the parent's when they are not there at the source.
    func emptiedBelow(_ stage: Stage, _ header: ImageHeader) -> UInt64 {
        let seesParent = (sides.source.header.snapshot(stage.end)?.parentOverlap ?? 0) > 0
        return seesParent ? 0 : min(header.objectCount(forSize: header.parent?.headOverlap ?? 0), stage.objectCount)
    }
}
