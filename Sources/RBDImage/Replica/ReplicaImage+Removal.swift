public import CephCore
internal import Glibc

extension ReplicaImage {
    /// Makes sure that nobody uses the image and that it can be taken apart here.
    ///
    /// - Throws: `EBUSY` when clones or other clients use it; `EOPNOTSUPP` for what only librbd takes apart.
    public func checkRemovable() async throws(CephError) {
        try await refresh()
        let cannot = { (code: CInt, why: String) in
            CephError(code: code, operation: "remove image", subject: "\(self.pool.spec)/\(self.headerObject) (\(why))")
        }
        if let clone = header.snapshots.first(where: { $0.childCount > 0 }) {
            throw cannot(EBUSY, "snapshot \(clone.name) has clones: flatten or remove them")
        }
        let isInGroup = OperationFeatures(rawValue: header.operationFeatures).contains(.group)
        if isInGroup || header.features.contains(.migrating) {
            throw cannot(EOPNOTSUPP, "in a group or being migrated: remove it with rbd trash rm")
        }
        if let user = try await otherUsers().min() { throw cannot(EBUSY, "client.\(user) has it open") }
    }

    /// Who else has the image open. Mirror daemons, which watch the pool's mirroring too, are none.
    private func otherUsers() async throws(CephError) -> Set<UInt64> {
        let others = try await pool.watchingClients(of: headerObject).subtracting([pool.cluster.globalID])
        return others.isEmpty ? [] : others.subtracting(try await pool.watchingClients(of: MirrorDirectory.object))
    }

    /// Removes the data objects of an image that nobody uses any more.
    ///
    /// Snapshots keep their versions of the objects until they are removed. Before them, since their sizes tell how far the
    /// data may reach: after an interrupted shrink, farther than HEAD. Can be repeated after an interruption at any point.
    public func removeData(objectsInFlight: Int = 16) async throws {
        let size = ([header.size] + header.snapshots.map(\.size)).max()!
        // The map of HEAD never denies an object that exists; nothing is known of those behind its end.
        let isTrusted = !header.flags.contains(.objectMapInvalid)
        let map = isTrusted && usesObjectMap ? try await findHeadMap() : nil
        let numbers = (0..<header.objectCount(forSize: size)).lazy.filter { number in
            guard let map, number < UInt64(map.count) else { return true }
            return map[Int(number)] != .nonexistent
        }
        try await forEach(numbers, objectsInFlight) { [dataPool] name, _ in _ = try await dataPool.removeIfExists(name) }
    }

    /// Removes objects from HEAD; snapshots keep their versions.
    ///
    /// - Parameter emptiedBelow: Objects below this number hide the parent's: they are emptied instead.
    public func removeObjects(_ numbers: [UInt64], emptiedBelow: UInt64, objectsInFlight: Int) async throws {
        let target = try dataPool.writing(in: header.writeContext)
        var empty = ObjectUpdate()
        empty.ensureExists()
        empty.truncate(to: 0)
        try await forEach(numbers, objectsInFlight) { [empty] name, number in
            if number < emptiedBelow { try await target.apply(empty, to: name) } else { try await target.removeIfExists(name) }
        }
    }

    private func forEach(
        _ numbers: some Sequence<UInt64>, _ objectsInFlight: Int, _ body: @escaping @Sendable (String, UInt64) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for number in numbers {
                if running >= objectsInFlight { _ = try await group.next() } else { running += 1 }
                try Task.checkCancellation()
                group.addTask { [header] in try await body(header.objectName(number), number) }
            }
            try await group.waitForAll()
        }
    }

    private func findHeadMap() async throws(CephError) -> ObjectMap? {
        guard case .found(let map) = try await pool.findObjectMap(ObjectNames.objectMap(id)) else { return nil }
        return map
    }

    /// Removes all snapshots, protected ones too.
    ///
    /// Can be repeated after an interruption at any point.
    /// - Throws: `EBUSY` when one has clones.
    public func removeAllSnapshots() async throws {
        for snapshot in header.snapshots where snapshot.protection != .unprotected {
            try await setProtection(.unprotected, of: snapshot.id)
        }
        try await removeSnapshots(header.snapshots.map(\.id))
    }
}

extension Pool {
    /// Removes what is left of an image without data, snapshots and journal: HEAD's object map, then the header.
    public func removeImageHeader(_ id: String) async throws(CephError) {
        try await removeIfExists(ObjectNames.objectMap(id))
        try await removeIfExists(ObjectNames.header(id))
    }
}
