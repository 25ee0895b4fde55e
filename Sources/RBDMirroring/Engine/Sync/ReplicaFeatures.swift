internal import CephCore
internal import RBDImage

/// Switches a replica's features as the source did, with the work that belongs to each.
struct ReplicaFeatures {
    let replica: ReplicaImage

    func change(to wanted: ImageFeatures, mask: ImageFeatures) async throws {
        var mask = mask
        var values = wanted.intersection(mask)
        let tracksObjects: ImageFeatures = [.objectMap, .fastDiff]
        if mask.contains(.objectMap) {
            // librbd switches both together.
            mask.formUnion(tracksObjects)
            values = wanted.contains(.objectMap) ? values.union(tracksObjects) : values.subtracting(tracksObjects)
            if !wanted.contains(.objectMap) { try await removeMaps() }
        }
        try await replica.setFeatures(values, mask: mask)
        if mask.contains(.objectMap), wanted.contains(.objectMap) { try await buildMaps() }
    }

    private func removeMaps() async throws {
        let header = await replica.header
        for id in [nil] + header.snapshots.map({ Optional($0.id) }) {
            try await replica.pool.removeIfExists(ObjectNames.objectMap(replica.id, snapshot: id))
        }
    }

    /// Makes a map for HEAD and for each snapshot; until somebody rebuilds them the flags say that they are not exact.
    private func buildMaps() async throws {
        let header = await replica.header
        for snapshot in header.snapshots {
            let count = Int(header.objectCount(forSize: snapshot.size))
            try await replica.saveObjectMap(ObjectMap(count: count, filledWith: .exists), of: snapshot.id)
            try await replica.setFlags([.objectMapInvalid, .fastDiffInvalid], mask: [.objectMapInvalid, .fastDiffInvalid], of: snapshot.id)
        }
        try await replica.saveObjectMap(ObjectMap(count: Int(header.objectCount(forSize: header.size)), filledWith: .exists))
        try await replica.setFlags([.objectMapInvalid, .fastDiffInvalid], mask: [.objectMapInvalid, .fastDiffInvalid])
    }
}
