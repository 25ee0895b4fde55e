public import CephCore

extension ReplicaImage {
    /// Adds a snapshot that records HEAD's present size, flags and parent.
    ///
    /// The HEAD object map becomes the snapshot's; entries of HEAD become clean.
    /// - Parameter map: HEAD's object map as it is now; nil without the feature.
    /// - Returns: The new id.
    /// - Throws: `EEXIST` for a name in use, `EDQUOT` at the image's snapshot limit.
    @discardableResult
    public func addSnapshot(_ name: String, _ namespace: SnapshotNamespace, map: inout ObjectMap?) async throws -> UInt64 {
        let id = try await ids.take(above: header.snapshotSequence)
        do throws(CephError) {
            try await change(HeaderMethod.snapshotAdd(name: name, id: id, namespace: namespace))
        } catch {
            // One that timed out may still be applied: its id must not be used again.
            if !error.isTimeout { await ids.giveBack(id) }
            throw error
        }
        try await adopt(map: &map, for: id)
        try await refresh()
        return id
    }

    /// Ends a sync: in one operation the working snapshot is complete and the sealed one is there.
    ///
    /// - Returns: The sealed snapshot's id.
    public func complete(
        _ working: UInt64, objectCount: UInt64, sealedAs name: String, _ sealed: MirrorSnapshot, map: inout ObjectMap?
    ) async throws -> UInt64 {
        let id = try await ids.take(above: header.snapshotSequence)
        do throws(CephError) {
            try await change(
                HeaderMethod.mirrorSnapshotSetCopyProgress(working, complete: true, lastCopied: max(objectCount, 1)),
                HeaderMethod.snapshotAdd(name: name, id: id, namespace: .mirror(sealed)))
        } catch {
            if !error.isTimeout { await ids.giveBack(id) }
            throw error
        }
        try await adopt(map: &map, for: id)
        try await refresh()
        return id
    }

    /// Saves HEAD's map as a snapshot's and makes HEAD's entries clean.
    private func adopt(map: inout ObjectMap?, for snapshot: UInt64) async throws {
        guard usesObjectMap, map != nil else { return }
        try await saveObjectMap(map!, of: snapshot)
        try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.snapshotAdd())
        map!.markAllClean()
    }

    /// Records how far a copy has come: the index of the last object done without a gap.
    public func recordProgress(_ working: UInt64, lastCopied: UInt64) async throws(CephError) {
        try await change(HeaderMethod.mirrorSnapshotSetCopyProgress(working, complete: false, lastCopied: lastCopied))
    }

    /// Removes a snapshot of any namespace with all that belongs to it.
    ///
    /// Can be repeated after an interruption at any point.
    /// - Throws: `EBUSY` when it is protected or has clones.
    public func removeSnapshot(_ snapshot: UInt64) async throws {
        guard let record = header.snapshot(snapshot) else { return }
        if record.childCount > 0 {
            throw CephError(code: 16, operation: "remove snapshot", subject: "\(pool.spec)/\(id)@\(record.name) (has clones)")
        }
        if case .trash = record.namespace {} else { try await change(HeaderMethod.snapshotTrashAdd(snapshot)) }
        try await mergeObjectMap(of: snapshot)
        try await removeStateBlob(of: snapshot)
        do throws(CephError) {
            try await dataPool.removeSelfManagedSnapshot(snapshot)
        } catch {
            guard error.isNotFound else { throw error }
        }
        try await change(HeaderMethod.snapshotRemove(snapshot))
        try await refresh()
    }

    public func setProtection(_ protection: SnapshotProtection, of snapshot: UInt64) async throws(CephError) {
        try await change(HeaderMethod.setProtectionStatus(snapshot, protection))
    }

    public func renameSnapshot(_ snapshot: UInt64, to name: String) async throws(CephError) {
        try await change(HeaderMethod.snapshotRename(snapshot, to: name))
    }

    /// Limits the number of snapshots; nil removes the limit.
    public func setSnapshotLimit(_ limit: UInt64?) async throws(CephError) {
        try await change(HeaderMethod.snapshotSetLimit(limit ?? .max))
    }
}

extension ReplicaImage {
    /// Writes a mirror snapshot's image-state objects.
    public func writeStateBlob(_ blob: [UInt8], of snapshot: UInt64, chunk: Int = 4 << 20) async throws(CephError) {
        for (index, part) in StateBlob.objects(of: blob, chunk: chunk).enumerated() {
            try await pool.writeFull(part, to: ObjectNames.mirrorSnapshotState(id, snapshot: snapshot, index: UInt64(index)))
        }
    }

    /// Removes a mirror snapshot's image-state objects, however many there are.
    func removeStateBlob(of snapshot: UInt64) async throws(CephError) {
        var index: UInt64 = 0
        while try await pool.removeIfExists(ObjectNames.mirrorSnapshotState(id, snapshot: snapshot, index: index)) { index += 1 }
    }
}
