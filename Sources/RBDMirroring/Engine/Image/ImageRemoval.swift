internal import CephCore
internal import RBDImage

/// Takes a local image apart.
struct ImageRemoval: Sendable {
    let pool: Pool

    /// Removes an image whose creation was interrupted: it holds no data of anybody.
    ///
    /// Its record says *creating* until the name is gone, then *disabling*: each step leaves a state that is
    /// recognised as half built, and the whole can be repeated.
    func removeHalfBuilt(_ id: String, globalID: String, mode: MirrorImage.Mode) async throws {
        let directory = MirrorDirectory(pool)
        if let name = try await pool.imageName(ofID: id) {
            try await pool.removeIfExists(ObjectNames.imageID(name: name))
            try await removeContents(id)
            try await pool.change(ObjectNames.directory, with: DirectoryMethod.removeImage(name: name, id: id))
        } else {
            try await removeContents(id)
        }
        try await directory.setImage(id, MirrorImage(globalID: globalID, state: .disabling, mode: mode))
        try await directory.removeImage(id)
        // Only a hint: who misses it looks by itself.
        try? await directory.notify(.imageUpdated(.disabled, id: id, globalID: globalID))
    }

    private func removeContents(_ id: String) async throws {
        try await pool.removeJournal(of: id)
        let header: ImageHeader
        do throws(CephError) { header = try await pool.imageHeader(id) } catch {
            guard error.isNotFound else { throw error }
            try await pool.removeIfExists(ObjectNames.header(id))
            try await pool.removeIfExists(ObjectNames.objectMap(id))
            return
        }
        let replica = try await ReplicaImage.open(id, in: pool, ids: SnapshotIDs(reserve: 0))
        try await replica.leaveParent()
        for snapshot in header.snapshots.reversed() { try await replica.removeSnapshot(snapshot.id) }
        await replica.close()
        try await pool.removeIfExists(ObjectNames.objectMap(id))
        try await pool.removeIfExists(ObjectNames.header(id))
    }
}
