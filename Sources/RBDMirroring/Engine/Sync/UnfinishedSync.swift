internal import RBDImage

/// What a sync that was stopped has made beside HEAD's data, which a forced promotion rolls back itself.
struct UnfinishedSync {
    let replica: ReplicaImage

    /// Removes the user snapshots that came after the newest complete point, which the promoter would keep, filled in part; and gives
    /// HEAD back its size where the promoter has nothing that tells it to roll back.
    func undo() async throws {
        let header = try await replica.refresh()
        guard let newest = header.mirrorSnapshots.last, newest.mirror!.state.isNonPrimary,
            let base = header.mirrorSnapshots.last(where: { $0.mirror!.complete && !$0.mirror!.isOrphan }) else { return }
        let unfinished = header.userSnapshots.filter { $0.id > base.id }
        for snapshot in unfinished where snapshot.protection != .unprotected {
            try await replica.setProtection(.unprotected, of: snapshot.id)
        }
        try await replica.removeSnapshots(unfinished.map(\.id))
        if SealedPoint.isSealed(newest.mirror!) { try await replica.setSize(newest.size) }
        try await replica.notifyHeaderUpdate()
    }
}
