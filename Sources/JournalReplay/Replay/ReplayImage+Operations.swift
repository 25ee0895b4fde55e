internal import CephCore
internal import RBDImage

/// Operations on an image that change its data, too.
extension ReplayImage {
    /// What is there: for a replica librbd may read.
    func bytes(at offset: UInt64, count: Int) async throws -> [UInt8] {
        guard offset < header.size else { return [] }
        let end = min(offset + UInt64(count), header.size)
        return try await replica.pool.withImage(id: replica.id) { try await $0.read(offset..<end) }
    }

    /// Changes the size; what lies beyond a smaller one is gone.
    func resize(to size: UInt64) async throws {
        if size < header.size { try await cut(at: size) }
        try await replica.setSize(size, parentOverlap: header.parent?.headOverlap.map { min($0, size) })
    }

    /// Removes and cuts the objects beyond a size; snapshots keep what they had.
    private func cut(at size: UInt64) async throws {
        // To the ends of the last objects, so that they are removed.
        let period = header.layout.objectSize * header.layout.stripeCount
        let end = (header.size + period - 1) / period * period
        var batch = ReplayBatch(header.layout, size: end)
        batch.discard(.init(offset: size, length: end - size))
        try await apply(batch)
    }

    /// Makes HEAD what it was at a snapshot.
    func rollBack(to snapshot: ImageSnapshot) async throws {
        try await resize(to: snapshot.size)
        try await reload()
        let view = try replica.dataPool.writing(in: header.writeContext)
        let objects = (0..<header.objectCount(forSize: snapshot.size)).map { (key: $0, value: ()) }
        try await forEach(objects) { [header] object, _ in
            do throws(CephError) { try await view.rollBack(header.objectName(object), to: snapshot.id) } catch {
                guard error.isNotFound else { throw error }
            }
        }
        try await rebuildMaps()
    }

    /// Gives the image all that it shows of its parent, and lets go of that.
    func flatten() async throws {
        guard let overlap = header.parent?.headOverlap else { return }
        let objects = (0..<header.objectCount(forSize: min(overlap, header.size)))
        for start in stride(from: objects.lowerBound, to: objects.upperBound, by: 256) {
            try await copyUp(Array(start..<min(start + 256, objects.upperBound)))
        }
        try await replica.detachParent()
    }

    func rename(to name: String) async throws {
        guard let old = try await replica.pool.imageName(ofID: replica.id), old != name else { return }
        try await replica.rename(from: old, to: name)
    }

    /// Switches features on or off, with the object maps that come and go with them.
    func update(_ features: ImageFeatures, enabled: Bool) async throws {
        let mask = features.intersection(ImageFeatures.mutable.union(.disableOnly)).subtracting([.journaling, .nonPrimary])
        guard !mask.isEmpty else { return }
        try await replica.setFeatures(enabled ? mask : [], mask: mask)
        if !mask.isDisjoint(with: [.objectMap, .fastDiff]), enabled { try await rebuildMaps() }
    }

    /// Makes all object maps anew from the objects; until that is done they are marked as not to be trusted.
    private func rebuildMaps() async throws {
        guard try await replica.refresh().features.contains(.objectMap) else { return }
        for snapshot in [nil] + header.snapshots.map({ Optional($0.id) }) {
            try await replica.setFlags(.invalidMaps, mask: .invalidMaps, of: snapshot)
        }
        try await replica.refresh()
        try await replica.rebuildObjectMapsIfInvalid()
    }
}
