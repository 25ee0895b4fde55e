internal import CephCore
internal import Logging
internal import RBDImage

/// Moves a replica to the trash, as a stock daemon does.
///
/// Its record says *disabling* from the first step to the last. An interruption leaves the image in the directory, and the next
/// bootstrap begins again, or out of it, and ``finish(_:)`` does what is left. The deleter touches neither.
struct TrashMove: Sendable {
    let pair: PoolPair
    let globalID: String
    let logger: Logger

    private var trash: TrashDirectory { TrashDirectory(pair.local) }

    /// Moves an image that is in the directory.
    ///
    /// Not cut short by cancellation: it is a matter of moments.
    func run(_ local: BootstrapFacts.Local) async throws { try await Task { try await perform(local) }.value }

    private func perform(_ local: BootstrapFacts.Local) async throws {
        let replica = try await ReplicaImage.open(
            local.imageID, in: pair.local, ids: pair.resources.snapshotIDs, identity: pair.resources.identity)
        let spec: TrashImageSpec
        do { spec = try await move(replica, local) } catch {
            // What may still be applied must be fenced before anybody goes on.
            if ReplayFailure.isUnanswered(error, by: pair.local) { await replica.abandon() } else { await replica.close() }
            throw error
        }
        await replica.close()
        logger.notice("moved to the trash", metadata: [
            "image.id": "\(local.imageID)", "image.name": "\(spec.name)",
            "deferment.seconds": "\(Int(spec.defermentEnd.seconds) - Int(spec.deleted.seconds))",
        ])
        await announce(local.imageID, spec)
    }

    /// Ends a move that was interrupted when the image had left the directory; false when the image is not in the trash.
    func finish(_ local: BootstrapFacts.Local) async throws -> Bool {
        guard let spec = try await trash.entry(local.imageID) else { return false }
        if local.record.mode == .journal { try await pair.local.resetJournal(of: local.imageID) }
        try await pair.localImages.removeImage(local.imageID)
        await announce(local.imageID, spec)
        return true
    }

    private func move(_ replica: ReplicaImage, _ local: BootstrapFacts.Local) async throws -> TrashImageSpec {
        let id = local.imageID
        // With the lock held nobody can promote it any more; before, somebody may have.
        let header = try await replica.refresh()
        let role = try await pair.local.role(of: id, local.record.mode, mirrorUUID: pair.localMirrorUUID)
        guard role.promotion == local.promotion, let name = try await pair.local.imageName(ofID: id)
        else { throw RoleChanged(id: id) }
        try await replica.finishRename()
        var record = local.record
        record.state = .disabling
        try await pair.localImages.setImage(id, record)
        var spec = spec(name, header)
        if try await !trash.add(id, spec) { spec = try await trash.entry(id) ?? spec }
        try await pair.local.removeIfExists(ObjectNames.imageID(name: name))
        try await pair.local.change(ObjectNames.directory, with: DirectoryMethod.removeImage(name: name, id: id), flags: .evenWhenFull)
        // Not before: its role could not be told any more.
        if record.mode == .journal { try await pair.local.resetJournal(of: id) }
        try await pair.localImages.removeImage(id)
        return spec
    }

    private func spec(_ name: String, _ header: ImageHeader) -> TrashImageSpec {
        let option = "rbd_mirroring_delete_delay"
        // An image's own setting comes before the cluster's.
        let text = header.metadata["conf_\(option)"].map { String(decoding: $0, as: UTF8.self) }
            ?? (try? pair.local.cluster.option(option))
        let delay = text.flatMap { UInt64($0) } ?? 0
        let now = CephTime.now
        let end = CephTime(seconds: UInt32(clamping: UInt64(now.seconds) + min(delay, UInt64(UInt32.max))), nanoseconds: now.nanoseconds)
        return TrashImageSpec(source: .mirroring, name: name, deleted: now, defermentEnd: end)
    }

    /// Only hints: who misses them looks by himself.
    private func announce(_ id: String, _ spec: TrashImageSpec) async {
        try? await pair.localImages.notify(.imageUpdated(.disabled, id: id, globalID: globalID))
        try? await trash.notify(.imageAdded(id: id, spec))
    }

    /// What is known of the image is not true any more: it is looked at again.
    private struct RoleChanged: Error, CustomStringConvertible {
        let id: String
        var description: String { "image \(id) changed its role or name while it was to be moved to the trash" }
    }
}
