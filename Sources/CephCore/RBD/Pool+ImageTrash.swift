internal import CCeph

extension Pool {
    /// An image in the trash.
    public struct TrashedImage: Hashable, Sendable, Identifiable {
        public let id: String
        /// The name it had.
        public let name: String
        public let source: Source
        /// Since 1970.
        public let deleted: Duration
        /// Since 1970; before it only `force` removes the image.
        public let deferredUntil: Duration

        /// Who moved it there.
        public struct Source: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt32
            public init(rawValue: UInt32) { self.rawValue = rawValue }
            public static let user = Source(rawValue: 0)
            /// A mirror daemon, whose image's source was removed.
            public static let mirroring = Source(rawValue: 1)
            public static let migration = Source(rawValue: 2)
            /// A removal that did not come to its end.
            public static let removing = Source(rawValue: 3)
            /// Its user, while clones still need it.
            public static let userParent = Source(rawValue: 4)
        }
    }

    /// Moves an image to the trash.
    ///
    /// - Parameter delay: How long it may not be removed from there without force; whole seconds.
    /// - C call: `rbd_trash_move`
    public func moveImageToTrash(_ name: String, delay: Duration = .zero) async throws(CephError) {
        let seconds = UInt64(max(0, delay.components.seconds))
        try await performImages("rbd_trash_move", on: name) { rbd_trash_move($0, name, seconds) }
    }

    /// The images in the trash.
    ///
    /// - C call: `rbd_trash_list`
    public func trashedImages() async throws(CephError) -> [TrashedImage] {
        try await lendImages("rbd_trash_list") { (io, place) throws(CephError) in
            var (found, count) = try CText.list(of: rbd_trash_image_info_t(), from: 16, "rbd_trash_list", on: place) {
                rbd_trash_list(io, $0, $1)
            }
            defer { rbd_trash_list_cleanup(&found, count) }
            return found.prefix(count).map {
                TrashedImage(
                    id: CText.string($0.id), name: CText.string($0.name),
                    source: TrashedImage.Source(rawValue: $0.source.rawValue), deleted: .seconds($0.deletion_time),
                    deferredUntil: .seconds($0.deferment_end_time))
            }
        }
    }

    /// Brings an image back from the trash under a name.
    ///
    /// - C call: `rbd_trash_restore`
    public func restoreImageFromTrash(id: String, as name: String) async throws(CephError) {
        try await performImages("rbd_trash_restore", on: "trash \(id)") { rbd_trash_restore($0, id, name) }
    }

    /// Removes an image in the trash and its data.
    ///
    /// - Parameter force: Also before its time.
    /// - Throws: `EPERM` before its time without `force`.
    /// - C call: `rbd_trash_remove_with_progress`
    public func removeImageFromTrash(
        id: String, force: Bool = false, progress: Image.Progress? = nil
    ) async throws(CephError) {
        try await performImages("rbd_trash_remove", on: "trash \(id)", progress) {
            rbd_trash_remove_with_progress($0, id, force, $1, $2)
        }
    }
}
