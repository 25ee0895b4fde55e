public import CephCore

/// What a replica hangs on that is a clone.
public struct ReplicaParent: Hashable, Sendable {
    /// On the replica's own cluster.
    public var spec: ParentImageSpec
    /// Bytes of the parent that the replica sees; more than 0.
    public var overlap: UInt64

    public init(spec: ParentImageSpec, overlap: UInt64) {
        self.spec = spec
        self.overlap = overlap
    }
}

extension ReplicaImage {
    /// Sets HEAD's size, as ``setSize(_:)``, and narrows the part of the parent that it sees.
    ///
    /// - Parameter parentOverlap: Bytes; never widened. Nil leaves it as it is.
    public func setSize(_ size: UInt64, parentOverlap: UInt64?) async throws {
        try await setSize(size)
        guard header.parent?.headOverlap != nil else { return }
        try await refresh()
        guard let wanted = parentOverlap, let overlap = header.parent?.headOverlap, wanted < overlap else { return }
        // The class narrows it to the smallest size there was.
        try await change(HeaderMethod.setSize(wanted))
        try await change(HeaderMethod.setSize(size))
        try await refresh()
    }

    /// Ends HEAD's being a clone; everything the parent showed must be in the image.
    ///
    /// Can be repeated after an interruption. Without deep-flatten the snapshots go on seeing the parent.
    /// - Class methods: `rbd.parent_detach`, `rbd.child_detach` on the parent
    public func detachParent() async throws(CephError) {
        guard let parent = header.parent, parent.headOverlap != nil else { return }
        let isNeeded = !header.features.contains(.deepFlatten) && header.snapshots.contains { ($0.parentOverlap ?? 0) > 0 }
        // The record says whom to tell, so it goes last.
        if !isNeeded { try await leaveParent() }
        try await change(HeaderMethod.parentDetach())
        try await refresh()
    }

    /// Takes the image off its parent's list of clones: of one that is to be removed, or has all of its data.
    public func leaveParent() async throws(CephError) {
        guard let parent = header.parent else { return }
        if OperationFeatures(rawValue: header.operationFeatures).contains(.cloneChild) {
            try await pool.detachChild(id, from: parent)
        } else {
            try await leaveOldFormatParent(parent)
        }
    }

    /// Clones of format 1 are listed in their own pool.
    private func leaveOldFormatParent(_ parent: ParentRecord) async throws(CephError) {
        let call = ChildrenMethod.remove(id, of: parent.spec)
        do throws(CephError) { try await pool.change(ObjectNames.children, with: call) } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

extension ParentRecord {
    var spec: ParentImageSpec {
        ParentImageSpec(poolID: poolID, namespace: namespace, imageID: imageID, snapshotID: snapshotID)
    }
}

extension Pool {
    /// Enters a clone in this pool in its parent's list.
    ///
    /// - Throws: `ENOENT` when the parent's snapshot is gone or in the trash.
    func attachChild(_ id: String, to parent: ParentImageSpec) async throws(CephError) {
        let home = try await cluster.pool(id: parent.poolID).inNamespace(parent.namespace)
        let header = ObjectNames.header(parent.imageID)
        try await home.change(header, with: HeaderMethod.childAttach(child(id), to: parent.snapshotID))
        // Only a hint.
        _ = try? await home.notify(header, HeaderNotification.headerUpdate.encoded, timeout: .seconds(1))
    }

    /// Takes a clone in this pool off its parent's list, if it is there.
    func detachChild(_ id: String, from parent: ParentRecord) async throws(CephError) {
        do throws(CephError) {
            let home = try await cluster.pool(id: parent.poolID).inNamespace(parent.namespace)
            let header = ObjectNames.header(parent.imageID)
            try await home.change(header, with: HeaderMethod.childDetach(child(id), from: parent.snapshotID))
            _ = try? await home.notify(header, HeaderNotification.headerUpdate.encoded, timeout: .seconds(1))
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    private func child(_ id: String) -> ChildImageSpec { ChildImageSpec(poolID: self.id, namespace: namespace, imageID: id) }
}
