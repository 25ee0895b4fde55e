internal import CephCore
internal import RBDImage

/// Whose "it is not there" may be believed, also after a restart. What proves what:
///
/// - *The pool*: a replica's newest mirror snapshot names the mirror uuid of the pool that filled it. A uuid is drawn whenever a
///   pool's mirroring is enabled, so one that was deleted and made anew, or switched off and on, has another one.
/// - *That this pool answered*: its uuid and mode are read after the answer and by the same pool id, which is never given to
///   another pool. Everything in a pool that was deleted reads as absent, its uuid too.
/// - *The cluster*: with cephx, the peer's stored key proves that it is the cluster that gave the peer's token. Neither the peer
///   record nor the monitors' store names an fsid, so the one that is seen first with a mirror uuid is kept in an attribute of
///   `rbd_mirroring`, of which stock knows nothing. A pool that was restored elsewhere has the uuid and another fsid.
struct KnownSource: Sendable {
    let pair: PoolPair

    /// Keeps the source's fsid unless one is kept.
    func remember() async throws(CephError) {
        guard try await fsid(ofPool: pair.remoteMirrorUUID) == nil else { return }
        var operation = WriteOperation()
        operation.setXattr(Self.attribute(pair.remoteMirrorUUID), to: Array(try pair.remote.cluster.fsid().utf8))
        try await pair.local.inNamespace("").apply(operation, to: MirrorDirectory.object)
    }

    /// The source of a replica; nil for what is none, or when its cluster is not known.
    func source(of local: BootstrapFacts.Local?) async throws(CephError) -> SourceIdentity? {
        guard case .nonPrimary(let uuid) = local?.promotion, let fsid = try await fsid(ofPool: uuid) else { return nil }
        return SourceIdentity(fsid: fsid, mirrorUUID: uuid)
    }

    /// Who answers now; without a uuid when the pool is gone or the namespace is not mirrored.
    func answerer() async throws -> SourceIdentity {
        let remote = pair.remote
        return try await yieldingToCancellation {
            SourceIdentity(fsid: try remote.cluster.fsid(), mirrorUUID: try await Self.mirrorUUID(of: remote) ?? "")
        }
    }

    private static func mirrorUUID(of pool: Pool) async throws(CephError) -> String? {
        do throws(CephError) {
            let uuid = try await MirrorDirectory(try pool.inNamespace("")).uuid()
            return try await MirrorDirectory(pool).mode() == .disabled ? nil : uuid
        } catch {
            // The pool itself is gone.
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private static func attribute(_ mirrorUUID: String) -> String { "swift_mirror.source_fsid.\(mirrorUUID)" }

    private func fsid(ofPool mirrorUUID: String) async throws(CephError) -> String? {
        var operation = ReadOperation()
        let attributes = operation.xattrs()
        try await pair.local.inNamespace("").perform(operation, on: MirrorDirectory.object)
        return try attributes.value()[Self.attribute(mirrorUUID)].map { String(decoding: $0, as: UTF8.self) }
    }
}

extension SnapshotPlan.WaitReason {
    /// Whether the source may have lost its points because it is going.
    var mayBeForGood: Bool { if case .sourceSnapshotIncomplete = self { false } else { true } }
}

extension PoolPair {
    /// Whether the source has no record of an image (any more), or is about to remove it: its points go first.
    func sourceIsLeaving(_ globalID: String) async throws -> Bool {
        let images = remoteImages
        return try await yieldingToCancellation {
            guard let id = try await images.imageID(ofGlobalID: globalID), let record = try await images.image(id) else { return true }
            return record.state == .disabling
        }
    }
}
