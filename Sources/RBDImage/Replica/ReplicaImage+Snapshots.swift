public import CephCore

extension ReplicaImage {
    /// Adds a snapshot that records HEAD's present size, flags and parent.
    ///
    /// The HEAD object map becomes the snapshot's; entries of HEAD become clean.
    /// - Returns: The new id.
    /// - Throws: `EEXIST` for a name in use, `EDQUOT` at the image's snapshot limit.
    @discardableResult
    public func addSnapshot(_ name: String, _ namespace: SnapshotNamespace) async throws -> UInt64 {
        try await add { id in [HeaderMethod.snapshotAdd(name: name, id: id, namespace: namespace)] }
    }

    /// Takes an id, applies the calls that use it, and follows with the object maps.
    // Not inlined: the 6.3 optimiser crashes on the merged coroutine.
    @inline(never)
    private func add(_ calls: @Sendable (UInt64) -> [ClassCall], onApplied: @Sendable () -> Void = {}) async throws -> UInt64 {
        let id = try await ids.take(in: dataPool, above: header.snapshotSequence)
        let result = await attempt(calls(id))
        if case .failure(let error) = result {
            // One that timed out may still be applied: its id must not be used again.
            if !error.isTimeout { await ids.giveBack(id, in: dataPool) }
            throw error
        }
        onApplied()
        try await adoptObjectMap(for: id)
        try await refresh()
        return id
    }

    @inline(never)
    private func attempt(_ calls: [ClassCall]) async -> Result<Void, CephError> {
        do throws(CephError) { return .success(try await change(calls)) } catch { return .failure(error) }
    }

    /// Ends a sync: in one operation the working snapshot is complete and the sealed one is there.
    ///
    /// From then on a replica of a demoted source is to be had for a promotion (``ImageLock/offer(_:)``).
    /// - Returns: The sealed snapshot's id.
    public func complete(
        _ working: UInt64, objectCount: UInt64, sealedAs name: String, _ sealed: MirrorSnapshot
    ) async throws -> UInt64 {
        try await add { id in
            [
                HeaderMethod.mirrorSnapshotSetCopyProgress(working, complete: true, lastCopied: max(objectCount, 1)),
                HeaderMethod.snapshotAdd(name: name, id: id, namespace: .mirror(sealed)),
            ]
        } onApplied: { [lock] in
            if sealed.state == .nonPrimaryDemoted { lock.offer(true) }
        }
    }

    /// Records how far a copy has come: the index of the last object done without a gap.
    ///
    /// It stands at the image state too, where it is out of the way of others: ``hasRecorded(_:lastCopied:)``.
    ///
    /// - Parameter isOurs: False for progress that may be that of a stock daemon.
    public func recordProgress(_ working: UInt64, lastCopied: UInt64, isOurs: Bool = true) async throws(CephError) {
        try await change(HeaderMethod.mirrorSnapshotSetCopyProgress(working, complete: false, lastCopied: lastCopied))
        guard isOurs else { return }
        var operation = WriteOperation()
        operation.assertExists()
        operation.setXattr(Self.progressAttribute, to: Self.encoded(lastCopied))
        do throws(CephError) { try await pool.apply(operation, to: ObjectNames.mirrorSnapshotState(id, snapshot: working, index: 0)) } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Whether it was us who recorded this progress last; else a stock daemon has copied since.
    public func hasRecorded(_ working: UInt64, lastCopied: UInt64) async throws(CephError) -> Bool {
        var operation = ReadOperation()
        let attributes = operation.xattrs()
        do throws(CephError) {
            try await pool.perform(operation, on: ObjectNames.mirrorSnapshotState(id, snapshot: working, index: 0))
            return try attributes.value()[Self.progressAttribute] == Self.encoded(lastCopied)
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    private static let progressAttribute = "swift.last_copied_object"

    private static func encoded(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }

    /// Removes a snapshot of any namespace with all that belongs to it.
    ///
    /// Can be repeated after an interruption at any point. One that has clones is kept for them, in the trash.
    /// - Throws: `EBUSY` when it is protected.
    public func removeSnapshot(_ snapshot: UInt64) async throws { try await removeSnapshots([snapshot]) }

    /// Removes several snapshots; their ids, each a monitor's proposal, are given up at the same time.
    ///
    /// Can be repeated after an interruption at any point. Those that have clones are kept for them, in the trash.
    /// - Throws: `EBUSY` when one is protected.
    public func removeSnapshots(_ snapshots: [UInt64]) async throws {
        let all = snapshots.compactMap { header.snapshot($0) }
        for record in all {
            if case .trash = record.namespace {} else { try await change(HeaderMethod.snapshotTrashAdd(record.id)) }
        }
        let records = all.filter { $0.childCount == 0 }
        try await leaveParentOfLast(records)
        for record in records {
            try await mergeObjectMap(of: record.id)
            try await removeStateBlob(of: record.id)
        }
        try await giveUp(records.map(\.id))
        for record in records { try await change(HeaderMethod.snapshotRemove(record.id)) }
        try await refresh()
    }

    /// The record of a flattened image's parent goes with the last snapshot that needs it.
    private func leaveParentOfLast(_ records: [ImageSnapshot]) async throws(CephError) {
        guard let parent = header.parent, parent.headOverlap == nil else { return }
        let going = Set(records.map(\.id))
        if header.snapshots.allSatisfy({ ($0.parentOverlap ?? 0) == 0 || going.contains($0.id) }) { try await leaveParent() }
    }

    private func giveUp(_ ids: [UInt64]) async throws {
        let dataPool = dataPool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in ids {
                group.addTask {
                    do throws(CephError) { try await dataPool.removeSelfManagedSnapshot(id) } catch {
                        guard error.isNotFound else { throw error }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Protects a user snapshot or takes the protection off, without a look for clones.
    ///
    /// - Class method: `rbd.set_protection_status`
    public func setProtection(_ protection: SnapshotProtection, of snapshot: UInt64) async throws(CephError) {
        try await change(HeaderMethod.setProtectionStatus(snapshot, protection))
    }

    /// Renames a snapshot.
    ///
    /// - Throws: `EEXIST` for a name in use.
    /// - Class method: `rbd.snapshot_rename`
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
