public import CephCore

extension ReplicaImage {
    /// Sets HEAD's size, with the object map grown before and shrunk after.
    ///
    /// Data objects beyond a smaller size are the copy's business.
    public func setSize(_ size: UInt64) async throws {
        guard size != header.size else { return }
        let count = header.objectCount(forSize: size)
        if usesObjectMap, size > header.size {
            try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.resize(count: count, fill: .nonexistent))
        }
        try await change(HeaderMethod.setSize(size))
        if usesObjectMap, size < header.size, var map = try await loadObjectMap() {
            map.resize(to: Int(count))
            try await saveObjectMap(map)
        }
        header.size = size
    }

    /// Switches features on and off; maps of object-map images are marked invalid until rebuilt.
    public func setFeatures(_ features: ImageFeatures, mask: ImageFeatures) async throws(CephError) {
        try await change(HeaderMethod.setFeatures(features, mask: mask))
        try await refresh()
    }

    /// Sets the flags in `mask` as in `flags`, of HEAD or of a snapshot.
    ///
    /// - Class method: `rbd.set_flags`
    public func setFlags(_ flags: ImageFlags, mask: ImageFlags, of snapshot: UInt64? = nil) async throws(CephError) {
        try await change(HeaderMethod.setFlags(flags, mask: mask, snapshot: snapshot))
    }

    /// Removes and sets metadata in one operation.
    public func changeMetadata(removing keys: [String], setting values: [String: [UInt8]]) async throws(CephError) {
        var calls = keys.map { HeaderMethod.metadataRemove($0) }
        if !values.isEmpty { calls.append(HeaderMethod.metadataSet(values)) }
        try await change(calls)
    }
}
