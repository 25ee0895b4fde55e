internal import CephCore
internal import RBDImage

/// Switches a replica's features as the source did, with the work that belongs to each.
struct ReplicaFeatures {
    let replica: ReplicaImage

    func disable(_ features: ImageFeatures) async throws {
        let mask = Self.withFastDiff(features)
        if mask.contains(.objectMap) { try await removeMaps() }
        try await replica.setFeatures([], mask: mask)
    }

    func enable(_ features: ImageFeatures) async throws {
        let mask = Self.withFastDiff(features)
        try await replica.setFeatures(mask, mask: mask)
        if mask.contains(.objectMap) { try await buildMaps() }
        if mask.contains(.exclusiveLock), !replica.lock.isHeld { try await replica.lock.acquire() }
    }

    /// librbd switches both together.
    private static func withFastDiff(_ features: ImageFeatures) -> ImageFeatures {
        features.contains(.objectMap) ? features.union(.fastDiff) : features
    }

    private func removeMaps() async throws {
        let header = await replica.header
        for id in [nil] + header.snapshots.map({ Optional($0.id) }) {
            try await replica.pool.removeIfExists(ObjectNames.objectMap(replica.id, snapshot: id))
        }
    }

    /// Makes a map for HEAD and for each snapshot; until they are rebuilt, at the end of the sync, the flags say that they are not exact.
    private func buildMaps() async throws {
        let header = await replica.header
        for snapshot in header.snapshots {
            let count = Int(header.objectCount(forSize: snapshot.size))
            try await replica.saveObjectMap(ObjectMap(count: count, filledWith: .exists), of: snapshot.id)
            try await replica.setFlags(.invalidMaps, mask: .invalidMaps, of: snapshot.id)
        }
        try await replica.saveObjectMap(ObjectMap(count: Int(header.objectCount(forSize: header.size)), filledWith: .exists))
        try await replica.setFlags(.invalidMaps, mask: .invalidMaps)
    }
}
