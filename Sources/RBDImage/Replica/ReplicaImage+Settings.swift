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

    /// Renames the image: the new name appears before the old one goes.
    ///
    /// Can be repeated after an interruption.
    /// - Throws: `EEXIST` when another image has the name.
    public func rename(from old: String, to new: String) async throws(CephError) {
        guard old != new else { return }
        var operation = WriteOperation()
        operation.create(exclusive: true)
        operation.call(IDMethod.setID(id))
        do throws(CephError) {
            try await pool.apply(operation, to: ObjectNames.imageID(name: new))
        } catch {
            guard error.alreadyExists, try await pool.imageID(named: new) == id else { throw error }
        }
        do throws(CephError) {
            try await pool.change(ObjectNames.directory, with: DirectoryMethod.renameImage(from: old, to: new, id: id))
        } catch {
            guard try await pool.imageName(ofID: id) == new else { throw error }
        }
        try await pool.removeIfExists(ObjectNames.imageID(name: old))
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
