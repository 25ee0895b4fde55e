public import CephCore
internal import Glibc

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

    /// Records what became of objects in HEAD's object map, or a snapshot's.
    ///
    /// - Parameter changes: Numbers of objects below the map's count, and what they are.
    public func markObjects(_ changes: [(Range<UInt64>, ObjectState)], of snapshot: UInt64? = nil) async throws {
        guard usesObjectMap else { return }
        let (pool, object) = (pool, ObjectNames.objectMap(id, snapshot: snapshot))
        // An operation each: within one the class does not see what it has just written.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (range, state) in changes {
                group.addTask { try await pool.change(object, with: ObjectMapMethod.update(range, to: state)) }
            }
            try await group.waitForAll()
        }
    }

    /// Finishes what follows the adding of the newest snapshot, if that was interrupted.
    ///
    /// Only while HEAD has not been written to since.
    /// - Returns: Whether the snapshot had no map yet.
    @discardableResult
    public func mendObjectMap(ofNewest snapshot: UInt64) async throws -> Bool {
        guard usesObjectMap else { return false }
        if try await pool.exists(ObjectNames.objectMap(id, snapshot: snapshot)) {
            guard header.features.contains(.fastDiff) else { return false }
            try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.snapshotAdd())
            return false
        }
        try await adoptObjectMap(for: snapshot)
        return true
    }

    /// A snapshot was taken: HEAD's map becomes its map, and HEAD's entries are clean from now on.
    func adoptObjectMap(for snapshot: UInt64) async throws {
        guard let map = try await loadObjectMap() else { return }
        try await saveObjectMap(map, of: snapshot)
        guard header.features.contains(.fastDiff) else { return }
        try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.snapshotAdd())
    }

    /// Before a snapshot goes: what only it recorded as changed is recorded in the next newer map.
    ///
    /// Where its own map is damaged, the next one is marked as not to be trusted.
    func mergeObjectMap(of snapshot: UInt64) async throws {
        guard usesObjectMap else { return }
        let own = ObjectNames.objectMap(id, snapshot: snapshot)
        if header.features.contains(.fastDiff) {
            let newer = header.snapshots.map(\.id).filter { $0 > snapshot }
            switch try await pool.findObjectMap(own) {
            case .found(let removed):
                // A newer snapshot that is going too may have lost its map already.
                for next in newer.map(Optional.init) + [nil] where try await merge(removed, into: next) { break }
            case .damaged:
                try await setFlags(.invalidMaps, mask: .invalidMaps, of: newer.first)
            case .missing: break
            }
        }
        try await pool.removeIfExists(own)
    }

    /// False when the newer snapshot (nil for HEAD) has no map.
    private func merge(_ removed: ObjectMap, into next: UInt64?) async throws(CephError) -> Bool {
        do throws(CephError) {
            try await pool.change(ObjectNames.objectMap(id, snapshot: next), with: ObjectMapMethod.snapshotRemove(removed))
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }
}

/// What became of reading an object map.
enum ObjectMapReading {
    case found(ObjectMap)
    case missing
    case damaged
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

    /// Like ``objectMap(_:)``, with the answers that are no failure of the cluster told apart.
    func findObjectMap(_ object: String) async throws(CephError) -> ObjectMapReading {
        do throws(CephError) { return .found(try await objectMap(object)) } catch {
            if error.isNotFound { return .missing }
            guard error.code == EBADMSG || error.code == EINVAL else { throw error }
            return .damaged
        }
    }

    private func subject(for object: String) -> String { "\(spec)/\(object)" }
}
