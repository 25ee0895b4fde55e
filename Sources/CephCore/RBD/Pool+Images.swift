internal import CCeph

extension Pool {
    /// An image of a pool as its directory lists it.
    public struct ImageName: Hashable, Sendable, Identifiable {
        public let id: String
        public let name: String
    }

    /// The images of this namespace, by name.
    ///
    /// - C call: `rbd_list2`
    public func images() async throws(CephError) -> [ImageName] {
        try await lendImages("rbd_list2") { (io, place) throws(CephError) in
            var (found, count) = try CText.list(of: rbd_image_spec_t(), from: 64, "rbd_list2", on: place) { rbd_list2(io, $0, $1) }
            defer { rbd_image_spec_list_cleanup(&found, count) }
            return found.prefix(count).map { ImageName(id: CText.string($0.id), name: CText.string($0.name)) }
        }
    }

    /// Creates an image.
    ///
    /// - Parameter size: Bytes.
    /// - Throws: `EEXIST` for a name that is taken.
    /// - C call: `rbd_create4`
    public func createImage(_ name: String, size: UInt64, _ options: ImageOptions = .init()) async throws(CephError) {
        try await performImages("rbd_create4", on: name) { io in
            options.withOptions { rbd_create4(io, name, size, $0) }
        }
    }

    /// Removes an image and its data.
    ///
    /// - Throws: `ENOTEMPTY` while it has snapshots, `EBUSY` while somebody has it open, `EINVAL` for a mirrored replica.
    /// - C call: `rbd_remove_with_progress`
    public func removeImage(_ name: String, progress: Image.Progress? = nil) async throws(CephError) {
        try await performImages("rbd_remove", on: name, progress) { rbd_remove_with_progress($0, name, $1, $2) }
    }

    /// Renames an image.
    ///
    /// - Throws: `EEXIST` for a name that is taken.
    /// - C call: `rbd_rename`
    public func renameImage(_ name: String, to newName: String) async throws(CephError) {
        try await performImages("rbd_rename", on: name) { rbd_rename($0, name, newName) }
    }

    /// Makes an image that begins as a snapshot of another one and shares its data.
    ///
    /// - Throws: `EINVAL` for a snapshot that is not protected, in clone format 1.
    /// - C call: `rbd_clone3`
    public func cloneImage(
        _ parent: String, at snapshot: String, to child: String, in pool: Pool? = nil, _ options: ImageOptions = .init()
    ) async throws(CephError) {
        let target = pool ?? self
        try await performImages("rbd_clone3", on: "\(parent)@\(snapshot) to \(target.spec)/\(child)") { io in
            options.withOptions { rbd_clone3(io, parent, snapshot, target.handle.pointer, child, $0) }
        }
    }

    /// Makes the pool ready for images, as `rbd pool init` does.
    ///
    /// - C call: `rbd_pool_init`
    public func initializeForImages() async throws(CephError) {
        try await performImages("rbd_pool_init") { rbd_pool_init($0, false) }
    }

    /// The pool's namespaces for images, without the default one.
    ///
    /// - C call: `rbd_namespace_list`
    public func imageNamespaces() async throws(CephError) -> [String] {
        try await lendImages("rbd_namespace_list") { (io, place) throws(CephError) in
            let (bytes, count) = try CText.list(of: CChar(0), from: 1024, "rbd_namespace_list", on: place) {
                rbd_namespace_list(io, $0, $1)
            }
            return CText.split(bytes.prefix(count))
        }
    }

    /// Adds a namespace for images.
    ///
    /// - C call: `rbd_namespace_create`
    public func createImageNamespace(_ name: String) async throws(CephError) {
        try await performImages("rbd_namespace_create", on: name) { rbd_namespace_create($0, name) }
    }

    /// Removes an empty namespace.
    ///
    /// - Throws: `EBUSY` while it holds images.
    /// - C call: `rbd_namespace_remove`
    public func removeImageNamespace(_ name: String) async throws(CephError) {
        try await performImages("rbd_namespace_remove", on: name) { rbd_namespace_remove($0, name) }
    }
}

extension Pool {
    /// Runs a librbd call on the pool, which blocks, on a thread of its own.
    func lendImages<T: Sendable>(
        _ operation: String, on detail: String = "",
        _ body: @escaping @Sendable (UnsafeMutableRawPointer, String) throws(CephError) -> T
    ) async throws(CephError) -> T {
        let place = detail.isEmpty ? spec : subject(detail)
        return try await cluster.lend(operation, on: place, within: cluster.deadlines.image) { () throws(CephError) in
            try body(self.handle.pointer, place)
        }
    }

    /// Runs a librbd call on the pool that only says whether it worked.
    func performImages(
        _ operation: String, on detail: String = "", _ body: @escaping @Sendable (UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) {
        try await lendImages(operation, on: detail) { (io, place) throws(CephError) in
            _ = try check(body(io), operation, on: place)
        }
    }

    /// Runs a librbd call on the pool that reports progress.
    func performImages(
        _ operation: String, on detail: String, _ progress: Image.Progress?,
        _ body: @escaping @Sendable (UnsafeMutableRawPointer, librbd_progress_fn_t, UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) {
        try await ProgressReporter.run(
            operation, on: subject(detail), in: cluster.gate, within: cluster.deadlines.image, progress
        ) { body(self.handle.pointer, $0, $1) }
    }
}
