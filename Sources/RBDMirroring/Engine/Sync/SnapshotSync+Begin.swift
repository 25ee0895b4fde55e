internal import CephCore
internal import Foundation
internal import RBDImage
internal import SnapshotDelta

/// The snapshots that a sync makes before it copies.
extension SnapshotSync {
    struct UserSnapshots {
        var snapshotIDs: [UInt64: UInt64]
        /// Source snapshots, oldest first.
        var creations: [UInt64] = []
    }

    /// Clears the way for the snapshots that are to be made, and says which.
    func reconcile(_ plan: SnapshotPlan.Sync, _ state: ImageState) async throws -> UserSnapshots {
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
            case .create(let source, _, _): users.creations.append(source)
            }
        }
        try await replica.refresh()
        return users
    }

    /// The object map before the first revision of a copy that was begun once already; nil without the feature.
    ///
    /// HEAD's own is ahead of it. That of a point which stock has copied is one point behind, and would deny objects: there the map
    /// of the copy's working snapshot stands for it, which was HEAD's when the copy began, and without one HEAD's.
    func mapBefore(_ localStart: UInt64?, working: UInt64?) async throws -> ObjectMap? {
        let header = await replica.header
        guard header.features.contains(.objectMap) else { return nil }
        guard let localStart else { return ObjectMap(count: 0) }
        return try await replica.loadObjectMap(of: header.isCopiedByOthers(localStart) ? working : localStart)
    }

    /// Has HEAD as it was at each user snapshot of the delta, adds those that are not there, and leaves HEAD as it is to be.
    ///
    /// - Parameters:
    ///   - ids: Source id to local id, of those that are there.
    ///   - marked: The map of each stage; none without the feature.
    /// - Returns: The ids with those of the added ones.
    func addUserSnapshots(
        of stages: inout [Stage], _ ids: [UInt64: UInt64], _ state: ImageState, _ marked: [ObjectMap]
    ) async throws -> [UInt64: UInt64] {
        var ids = ids
        for index in stages.indices.dropLast() {
            let point = source.snapshot(stages[index].end)!
            if let local = ids[point.id] {
                if !marked.isEmpty { try await replica.saveObjectMap(marked[index], of: local) }
                stages[index].local = local
                continue
            }
            // A forced promotion that asks now has not seen anything yet that it would have to roll back.
            try Task.checkCancellation()
            try await replica.setSize(point.size, parentOverlap: point.parentOverlap)
            if !marked.isEmpty { try await replica.saveObjectMap(marked[index]) }
            let local = try await replica.addSnapshot(state.snapshots[point.id]?.name ?? point.name, .user)
            ids[point.id] = local
            stages[index].local = local
        }
        let end = source.snapshot(stages.last!.end)!
        try await replica.setSize(end.size, parentOverlap: end.parentOverlap)
        return ids
    }

    /// The working snapshot keeps the state before HEAD's own changes, and so does its map.
    func addWorkingSnapshot(
        _ plan: SnapshotPlan.Sync, _ mapping: [UInt64: UInt64], _ blob: [UInt8]
    ) async throws -> UInt64 {
        try Task.checkCancellation()
        var snapshotIDs = mapping
        snapshotIDs[plan.to] = headSnapshotID
        let record = MirrorSnapshot(
            state: plan.isDemotion ? .nonPrimaryDemoted : .nonPrimary, peers: plan.isDemotion ? sides.localPeers : [],
            primaryMirrorUUID: sides.sourceMirrorUUID, primarySnapshotID: plan.to, snapshotIDs: snapshotIDs)
        let name = SealedPoint.name(globalImageID: sides.globalID, uuid: UUID().uuidString.lowercased())
        let id = try await replica.addSnapshot(name, .mirror(record))
        try await replica.writeStateBlob(blob, of: id)
        if plan.localStart == nil { try await onFirstPoint() } else { try await letPromotersAsk() }
        return id
    }

    /// Gives those who have the image open the time to ask for it: a promoter that looked before the working snapshot was there
    /// would not roll back. Nothing has been copied yet, so that it gets the point before.
    private func letPromotersAsk() async throws {
        let deadline = ContinuousClock.now + .seconds(2)
        while try await replica.isOpenElsewhere(), .now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        try Task.checkCancellation()
    }
}
