internal import CephCore

extension ReplicaImage {
    /// Makes the object maps of HEAD and of all snapshots anew from the objects, if a flag says that one cannot be trusted.
    ///
    /// Nothing may write to the image meanwhile. Every object is asked once, so that it takes about 50 µs for each; the flags are
    /// cleared when all maps are written. Without `list_snaps` the flags stay.
    /// - Returns: Whether the maps were made.
    @discardableResult
    public func rebuildObjectMapsIfInvalid(objectsInFlight width: Int = 32) async throws -> Bool {
        guard usesObjectMap, Pool.usesNative, header.hasInvalidMaps else { return false }
        let (header, data) = (header, dataPool)
        let snapshots = header.snapshots
        let sizes = snapshots.map(\.size) + [header.size]
        var maps = sizes.map { ObjectMap(count: Int(header.objectCount(forSize: $0))) }
        let (ids, tellsClean) = (snapshots.map(\.id), header.features.contains(.fastDiff))
        try await withThrowingTaskGroup(of: (Int, [ObjectState]?).self) { group in
            var running = 0
            func take() async throws {
                guard let (number, states) = try await group.next() else { return }
                running -= 1
                guard let states else { return }
                for (index, state) in states.enumerated() where number < maps[index].count { maps[index][number] = state }
            }
            for number in 0..<(maps.map(\.count).max() ?? 0) {
                if running >= width { try await take() }
                let name = header.objectName(UInt64(number))
                group.addTask { (number, try await data.findSnapshotSet(of: name)?.states(at: ids, tellsClean: tellsClean)) }
                running += 1
            }
            while running > 0 { try await take() }
        }
        for (id, map) in zip(ids.map(Optional.some) + [nil], maps) { try await saveObjectMap(map, of: id) }
        for id in [nil] + ids.map(Optional.some) { try await setFlags([], mask: .invalidMaps, of: id) }
        try await refresh()
        return true
    }
}

extension ImageHeader {
    var hasInvalidMaps: Bool {
        !flags.isDisjoint(with: .invalidMaps) || snapshots.contains { !$0.flags.isDisjoint(with: .invalidMaps) }
    }
}

extension ImageFlags {
    public static let invalidMaps: ImageFlags = [.objectMapInvalid, .fastDiffInvalid]
}

extension Pool {
    /// Nil when the object has neither head nor clones.
    func findSnapshotSet(of object: String) async throws(CephError) -> ObjectSnapshotSet? {
        do throws(CephError) { return try await snapshotSet(of: object) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
