internal import CCeph

extension Image {
    /// Changes the size.
    ///
    /// - Parameter shrinking: Whether the new size may be smaller; what lies beyond is lost.
    /// - Throws: `EINVAL` for a smaller size without `shrinking`.
    /// - C call: `rbd_resize2`
    public func resize(to size: UInt64, shrinking: Bool = false, progress: Progress? = nil) async throws(CephError) {
        try await performMarking("rbd_resize2", progress) { rbd_resize2($0, size, shrinking, $1, $2) }
    }

    /// Switches features on or off.
    ///
    /// - Throws: `EINVAL` for features that cannot be changed, or not in this combination.
    /// - C call: `rbd_update_features`
    public func updateFeatures(_ features: Features, enabled: Bool) async throws(CephError) {
        try await perform("rbd_update_features") { rbd_update_features($0, features.rawValue, enabled ? 1 : 0) }
    }

    /// Copies what a clone has from its parent and lets go of it.
    ///
    /// - C call: `rbd_flatten_with_progress`
    public func flatten(progress: Progress? = nil) async throws(CephError) {
        try await performMarking("rbd_flatten", progress) { rbd_flatten_with_progress($0, $1, $2) }
    }

    /// Makes the object map anew from the objects there are, of HEAD or of the snapshot the image was opened at.
    ///
    /// - C call: `rbd_rebuild_object_map`
    public func rebuildObjectMap(progress: Progress? = nil) async throws(CephError) {
        try await performMarking("rbd_rebuild_object_map", progress) { rbd_rebuild_object_map($0, $1, $2) }
    }

    /// Frees objects, or parts of them, that hold only zeroes.
    ///
    /// - Parameter run: The shortest run of zeroes to free, in bytes: a power of two, at least 4096.
    /// - C call: `rbd_sparsify_with_progress`
    public func sparsify(run: Int = 4096, progress: Progress? = nil) async throws(CephError) {
        try await performMarking("rbd_sparsify", progress) { rbd_sparsify_with_progress($0, run, $1, $2) }
    }
}
