internal import CephCore
internal import JournalReplay
internal import RBDImage

/// Which side of a pair an image is, and whether it is to be made anew.
struct ImageRole: Hashable, Sendable {
    var promotion: PromotionState
    var resyncRequested = false
}

extension Pool {
    /// What an image says of its role: by its mirror snapshots or its journal.
    ///
    /// - Parameter mirrorUUID: The pool's own.
    /// - Returns: Unknown for an image that is not there, or not as its mode wants it.
    func role(of id: String, _ mode: MirrorImage.Mode, mirrorUUID: String) async throws(CephError) -> ImageRole {
        do throws(CephError) {
            guard mode == .journal else {
                let header = try await imageHeader(id)
                return ImageRole(
                    promotion: PromotionState(ofSnapshots: header.snapshots),
                    resyncRequested: header.resyncRequested(mirrorUUID: mirrorUUID))
            }
            let journal = try await journalHeader(of: id)
            guard let epoch = journal.imageTags.last.flatMap({ try? $0.epoch() }) else { return ImageRole(promotion: .unknown) }
            return ImageRole(promotion: PromotionState(of: epoch), resyncRequested: journal.ownImage?.isResyncRequested ?? false)
        } catch {
            guard error.isNotFound else { throw error }
            return ImageRole(promotion: .unknown)
        }
    }

    /// - Throws: `ENOENT` for an image without a journal.
    func journalHeader(of id: String) async throws(CephError) -> JournalHeader {
        try JournalHeader(of: id, entries: try await omap(of: JournalNames.header(id)))
    }
}

extension JournalHeader {
    /// What the image itself keeps in its journal; nil for what cannot be understood.
    var ownImage: JournalClientRole.OwnImage? {
        guard let client = client(JournalClient.imageID), case .image(let image) = try? client.role() else { return nil }
        return image
    }

    /// The epochs of the image, ascending.
    var imageTags: [JournalTag] {
        guard let own = ownImage else { return [] }
        return tags.filter { $0.tagClass == own.tagClass }
    }
}

extension PromotionState {
    /// Finds it for an image in journal mode: its newest epoch decides.
    init(of epoch: JournalEpoch) {
        self = switch epoch.owner {
        case .local: .primary
        case .orphan: .orphan
        default: .nonPrimary(primaryMirrorUUID: epoch.owner.rawValue)
        }
    }
}
