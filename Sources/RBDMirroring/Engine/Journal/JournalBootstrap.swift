internal import CephCore
internal import JournalReplay
internal import RBDImage
internal import Replication

/// What journal mode needs beside the image itself.
struct JournalBootstrap: Sendable {
    let pair: PoolPair
    let globalID: String

    /// Has the source's journal kept for the local image from now on, whoever is primary.
    ///
    /// After a change of roles a client that comes late begins where the image itself is: what was written until then would be
    /// missing.
    func pin(_ facts: BootstrapFacts) async throws {
        guard let local = facts.local, local.isInDirectory, local.record.state == .enabled, !local.resyncRequested,
            [.primary, .orphan].contains(local.promotion) else { return }
        let (pair, globalID) = (pair, globalID)
        do {
            // A silent site is not waited for: what is known here is to be shown.
            try await withDeadline(.seconds(2), for: "registering in the other site's journal") {
                guard let id = try await pair.remoteImages.imageID(ofGlobalID: globalID) else { return }
                let journal = try await Journal(ofImage: id, in: pair.remote)
                guard try await journal.header().client(pair.localMirrorUUID) == nil else { return }
                try await journal.register(pair.localMirrorUUID, .peer(.init(imageID: local.imageID)))
            }
        } catch let error as CephError where error.isNotFound || error.isTimeout || error.alreadyExists {
            // No image there yet, none any more, nobody there: at the next look.
        } catch is DeadlineExceeded {}
    }

    /// Ends the making of a local image: gives it a journal like that of its source, and lets it be known as mirrored.
    func complete(_ id: String, of source: String) async throws {
        let (remote, client) = (pair.remote, pair.localMirrorUUID)
        let geometry = try await yieldingToCancellation {
            let journal = try await Journal(ofImage: source, in: remote)
            // That of an earlier replica: a new one does not go on where it was.
            do throws(CephError) { try await journal.unregister(client) } catch {
                guard error.isNotFound else { throw error }
            }
            return journal.geometry
        }
        let own = JournalGeometry(order: geometry.order, splayWidth: geometry.splayWidth, dataPool: try await journalPool())
        try await Journal.create(ofImage: id, own, in: pair.local, epoch: JournalEpoch(.site(pair.remoteMirrorUUID)))
        try await pair.localImages.setImage(id, MirrorImage(globalID: globalID, state: .enabled, mode: .journal))
        try await pair.localImages.notify(.imageUpdated(.enabled, id: id, globalID: globalID))
    }

    /// The pool that the local cluster wants its journals in; nil for the image's own.
    private func journalPool() async throws(CephError) -> Int64? {
        let name = try pair.local.cluster.option("rbd_journal_pool")
        guard !name.isEmpty, name != pair.local.name else { return nil }
        return try await pair.local.cluster.pool(name).id
    }
}

extension Pool {
    /// Removes the journal of an image, if it has one.
    func removeJournal(of id: String) async throws(CephError) {
        do throws(CephError) { try await Journal(ofImage: id, in: self).remove() } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Makes an image's journal that of one which is nobody's replica: whoever followed it sees that it cannot go on.
    func resetJournal(of id: String) async throws(CephError) {
        let journal: Journal
        do throws(CephError) { journal = try await Journal(ofImage: id, in: self) } catch {
            guard error.isNotFound else { throw error }
            try await Journal.create(ofImage: id, in: self)
            return
        }
        try await journal.reset()
    }
}

extension Journal {
    /// Has the image made anew from its peer, as `rbd mirror image resync` does.
    func requestResync() async throws(CephError) {
        guard var image = try await header().ownImage else { return }
        image.isResyncRequested = true
        try await update(JournalClient.imageID, .image(image))
    }
}
