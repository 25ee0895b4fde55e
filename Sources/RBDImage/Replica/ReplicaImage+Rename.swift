public import CephCore

extension ReplicaImage {
    /// Renames the image: the new name appears before the old one goes.
    ///
    /// What is to be done is noted at the header, so that ``finishRename()`` finds what an interruption left. Can be repeated after one.
    /// - Throws: `EEXIST` when another image has the name.
    public func rename(from old: String, to new: String) async throws(CephError) {
        guard old != new else { return }
        try await noteRename([old, new])
        var operation = WriteOperation()
        operation.create(exclusive: true)
        operation.call(IDMethod.setID(id))
        do throws(CephError) {
            try await pool.apply(operation, to: ObjectNames.imageID(name: new))
        } catch {
            guard error.alreadyExists, try await pool.idObject(ofName: new) == id else { throw error }
        }
        do throws(CephError) {
            try await pool.change(ObjectNames.directory, with: DirectoryMethod.renameImage(from: old, to: new, id: id))
        } catch {
            guard try await pool.imageName(ofID: id) == new else { throw error }
        }
        try await pool.removeIfExists(ObjectNames.imageID(name: old))
        try await noteRename(nil)
    }

    /// Removes what a rename that was cut off has left: the name that the image does not have.
    public func finishRename() async throws(CephError) {
        var operation = ReadOperation()
        let attributes = operation.xattrs()
        try await pool.perform(operation, on: headerObject)
        guard let note = try attributes.value()[Self.renameAttribute] else { return }
        let current = try await pool.imageName(ofID: id)
        // No name has a slash in it.
        for name in String(decoding: note, as: UTF8.self).split(separator: "/").map(String.init) where name != current {
            if try await pool.idObject(ofName: name) == id { try await pool.removeIfExists(ObjectNames.imageID(name: name)) }
        }
        try await noteRename(nil)
    }

    private static var renameAttribute: String { "swift.renaming" }

    private func noteRename(_ names: [String]?) async throws(CephError) {
        try await change("note a rename") { operation in
            operation.assertExists()
            if let names {
                operation.setXattr(Self.renameAttribute, to: Array(names.joined(separator: "/").utf8))
            } else {
                operation.removeXattr(Self.renameAttribute)
            }
        }
    }
}
