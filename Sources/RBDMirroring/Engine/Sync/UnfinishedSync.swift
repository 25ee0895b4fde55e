internal import RBDImage

/// What a sync that was stopped has made beside HEAD's data, which a forced promotion rolls back itself.
struct UnfinishedSync {
    let replica: ReplicaImage

    /// Removes the user snapshots that came after the newest complete point: the promoter would keep them, filled in part.
    func undo() async throws {
        let header = try await replica.refresh()
        guard let newest = header.mirrorSnapshots.last?.mirror, newest.state.isNonPrimary, !newest.complete,
            let base = header.mirrorSnapshots.last(where: { $0.mirror!.complete && !$0.mirror!.isOrphan }) else { return }
        let unfinished = header.userSnapshots.filter { $0.id > base.id }
        guard !unfinished.isEmpty else { return }
        for snapshot in unfinished where snapshot.protection != .unprotected {
            try await replica.setProtection(.unprotected, of: snapshot.id)
        }
        try await replica.removeSnapshots(unfinished.map(\.id))
        try await replica.notifyHeaderUpdate()
    }
}
