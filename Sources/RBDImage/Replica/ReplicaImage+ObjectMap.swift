public import CephCore

extension ReplicaImage {
    /// Reads HEAD's object map, or a snapshot's.
    ///
    /// - Returns: Nil without the feature.
    /// - Throws: `ENOENT` when the map is missing, `EBADMSG` when it is damaged.
    public func loadObjectMap(of snapshot: UInt64? = nil) async throws -> ObjectMap? {
        guard usesObjectMap else { return nil }
        return try await pool.objectMap(ObjectNames.objectMap(id, snapshot: snapshot))
    }

    /// Replaces HEAD's object map, or a snapshot's.
    public func saveObjectMap(_ map: ObjectMap, of snapshot: UInt64? = nil) async throws(CephError) {
        var operation = WriteOperation()
        if snapshot == nil {
            operation.call(ObjectMapMethod.save(map))
        } else {
            operation.writeFull(map.encoded)
        }
        try await pool.apply(operation, to: ObjectNames.objectMap(id, snapshot: snapshot))
    }

    /// A snapshot was taken: HEAD's map becomes its map, and HEAD's entries are clean from now on.
    func adoptObjectMap(for snapshot: UInt64) async throws {
        guard let map = try await loadObjectMap() else { return }
        try await saveObjectMap(map, of: snapshot)
        guard header.features.contains(.fastDiff) else { return }
        try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.snapshotAdd())
    }

    /// Before a snapshot goes: what only it recorded as changed is recorded in the next newer map.
    func mergeObjectMap(of snapshot: UInt64) async throws {
        guard usesObjectMap else { return }
        let own = ObjectNames.objectMap(id, snapshot: snapshot)
        if header.features.contains(.fastDiff), let removed = try? await pool.objectMap(own) {
            let next = header.snapshots.first { $0.id > snapshot }?.id
            try await pool.change(
                ObjectNames.objectMap(id, snapshot: next), with: ObjectMapMethod.snapshotRemove(removed))
        }
        try await pool.removeIfExists(own)
    }
}

extension Pool {
    /// Reads an object-map object.
    ///
    /// - Throws: `ENOENT` when it is missing, `EBADMSG` when it is damaged.
    public func objectMap(_ object: String) async throws(CephError) -> ObjectMap {
        let bytes = try await call(ObjectMapMethod.load(), on: object)
        do throws(WireError) { return try ObjectMap(encoded: bytes) } catch {
            throw .undecodable(error, operation: "object_map_load", subject: subject(for: object))
        }
    }

    private func subject(for object: String) -> String { "\(spec)/\(object)" }
}
