public import CephCore

/// Class methods of an `rbd_id.…` object.
public enum IDMethod {
    /// Calls `set_id`.
    public static func setID(_ id: String) -> ClassCall { HeaderMethod.call("set_id") { $0.string(id) } }
    /// Calls `get_id`.
    public static func getID() -> ClassCall { HeaderMethod.call("get_id") }
}

/// Class methods of `rbd_directory`.
public enum DirectoryMethod {
    private static func call(_ method: String, _ words: String...) -> ClassCall {
        HeaderMethod.call(method) { encoder in for word in words { encoder.string(word) } }
    }

    /// `EEXIST` when the name is taken, `EBADF` when the id is.
    public static func addImage(name: String, id: String) -> ClassCall { call("dir_add_image", name, id) }
    /// `ENOENT` without a directory, `EBUSY` while the namespace it belongs to is being removed.
    public static func assertReady() -> ClassCall { HeaderMethod.call("dir_state_assert") { $0.u8(0) } }
    /// Calls `dir_remove_image`.
    public static func removeImage(name: String, id: String) -> ClassCall { call("dir_remove_image", name, id) }
    /// Calls `dir_rename_image`.
    public static func renameImage(from old: String, to new: String, id: String) -> ClassCall {
        call("dir_rename_image", old, new, id)
    }

    /// Calls `dir_get_id`.
    public static func getID(name: String) -> ClassCall { call("dir_get_id", name) }
    /// Calls `dir_get_name`.
    public static func getName(id: String) -> ClassCall { call("dir_get_name", id) }

    /// Images in the order of their names.
    public static func list(after: String, limit: UInt64) -> ClassQuery<[(name: String, id: String)]> {
        HeaderMethod.query("dir_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 8) { (d) throws(WireError) in (try d.string(), try d.string()) }
        }
    }
}

/// Class methods of `rbd_namespace`.
public enum NamespaceMethod {
    /// Calls `namespace_list`.
    public static func list(after: String, limit: UInt64) -> ClassCall {
        HeaderMethod.call("namespace_list") {
            $0.string(after)
            $0.u64(limit)
        }
    }
}
