internal import CCeph
internal import Glibc

extension Image {
    /// An image that this one is made from or that is made from this one.
    public struct Relative: Hashable, Sendable {
        public let poolID: Int64
        public let poolName: String
        public let namespace: String
        public let imageID: String
        public let imageName: String
        public let isInTrash: Bool

        init(_ spec: rbd_linked_image_spec_t) {
            poolID = spec.pool_id
            poolName = CText.string(spec.pool_name)
            namespace = CText.string(spec.pool_namespace)
            imageID = CText.string(spec.image_id)
            imageName = CText.string(spec.image_name)
            isInTrash = spec.trash
        }
    }

    /// The snapshot a clone hangs on.
    public struct Parent: Hashable, Sendable {
        public let image: Relative
        public let snapshotID: UInt64
        public let snapshotName: String
        /// Bytes from the image's begin that the parent can still serve.
        public let overlap: UInt64
    }

    /// The snapshot this image is a clone of; nil for none.
    ///
    /// - C calls: `rbd_get_parent`, `rbd_get_overlap`
    public func parent() async throws(CephError) -> Parent? {
        let subject = subject
        return try await lend("rbd_get_parent") { (image) throws(CephError) in
            var spec = rbd_linked_image_spec_t()
            var snapshot = rbd_snap_spec_t()
            let code = rbd_get_parent(image, &spec, &snapshot)
            if code == -ENOENT { return nil }
            try check(code, "rbd_get_parent", on: subject)
            defer {
                rbd_linked_image_spec_cleanup(&spec)
                rbd_snap_spec_cleanup(&snapshot)
            }
            var overlap: UInt64 = 0
            try check(rbd_get_overlap(image, &overlap), "rbd_get_overlap", on: subject)
            return Parent(
                image: Relative(spec), snapshotID: snapshot.id, snapshotName: CText.string(snapshot.name), overlap: overlap)
        }
    }

    /// The clones of the snapshot this image was opened at, or of all its snapshots.
    ///
    /// - C call: `rbd_list_children3`
    public func children() async throws(CephError) -> [Relative] {
        let subject = subject
        return try await lend("rbd_list_children3") { (image) throws(CephError) in
            var (specs, count) = try CText.list(of: rbd_linked_image_spec_t(), from: 16, "rbd_list_children3", on: subject) {
                rbd_list_children3(image, $0, $1)
            }
            defer { rbd_linked_image_spec_list_cleanup(&specs, count) }
            return specs.prefix(count).map(Relative.init)
        }
    }
}
