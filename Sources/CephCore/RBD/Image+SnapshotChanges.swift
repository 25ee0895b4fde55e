internal import CCeph
internal import Glibc

extension Image {
    /// How a snapshot is made.
    public struct SnapshotOptions: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Does not ask those who watch the image to hold their writes.
        public static let skipQuiesce = SnapshotOptions(rawValue: 1)
        /// Is made even when one of them could not.
        public static let ignoreQuiesceErrors = SnapshotOptions(rawValue: 2)
    }

    /// Makes a user snapshot.
    ///
    /// - Throws: `EEXIST` for a name that is taken, `EDQUOT` at the snapshot limit.
    /// - C call: `rbd_snap_create2`
    public func createSnapshot(_ name: String, _ options: SnapshotOptions = []) async throws(CephError) {
        try await performMarking("rbd_snap_create2", on: "@\(name)", nil) {
            rbd_snap_create2($0, name, options.rawValue, $1, $2)
        }
    }

    /// Removes a user snapshot.
    ///
    /// - Throws: `ENOENT` without such a snapshot, `EBUSY` while it is protected or has clones.
    /// - C call: `rbd_snap_remove2`
    public func removeSnapshot(_ name: String) async throws(CephError) {
        try await performMarking("rbd_snap_remove2", on: "@\(name)", nil) { rbd_snap_remove2($0, name, 0, $1, $2) }
    }

    /// Removes a snapshot of any namespace.
    ///
    /// - C call: `rbd_snap_remove_by_id`
    public func removeSnapshot(id: UInt64) async throws(CephError) {
        try await perform("rbd_snap_remove_by_id", on: "@id \(id)") { rbd_snap_remove_by_id($0, id) }
    }

    /// Renames a user snapshot.
    ///
    /// - C call: `rbd_snap_rename`
    public func renameSnapshot(_ name: String, to newName: String) async throws(CephError) {
        try await perform("rbd_snap_rename", on: "@\(name)") { rbd_snap_rename($0, name, newName) }
    }

    /// Protects a user snapshot from removal.
    ///
    /// - Throws: `EBUSY` when it is protected.
    /// - C call: `rbd_snap_protect`
    public func protectSnapshot(_ name: String) async throws(CephError) {
        try await perform("rbd_snap_protect", on: "@\(name)") { rbd_snap_protect($0, name) }
    }

    /// Allows the removal of a protected snapshot.
    ///
    /// - Throws: `EINVAL` when it is not protected, `EBUSY` while it has clones.
    /// - C call: `rbd_snap_unprotect`
    public func unprotectSnapshot(_ name: String) async throws(CephError) {
        try await perform("rbd_snap_unprotect", on: "@\(name)") { rbd_snap_unprotect($0, name) }
    }

    /// Whether a user snapshot is protected.
    ///
    /// - C call: `rbd_snap_is_protected`
    public func isSnapshotProtected(_ name: String) async throws(CephError) -> Bool {
        let place = "\(subject)@\(name)"
        return try await lend("rbd_snap_is_protected") { (image) throws(CephError) in
            var isProtected: CInt = 0
            try check(rbd_snap_is_protected(image, name, &isProtected), "rbd_snap_is_protected", on: place)
            return isProtected != 0
        }
    }

    /// When a snapshot was made, since 1970.
    ///
    /// - C call: `rbd_snap_get_timestamp`
    public func snapshotTime(id: UInt64) async throws(CephError) -> Duration {
        let place = "\(subject) snapshot \(id)"
        return try await lend("rbd_snap_get_timestamp") { (image) throws(CephError) in
            var time = timespec()
            try check(rbd_snap_get_timestamp(image, id, &time), "rbd_snap_get_timestamp", on: place)
            return Duration(time)
        }
    }

    /// Sets HEAD back to a user snapshot.
    ///
    /// - C call: `rbd_snap_rollback_with_progress`
    public func rollBack(toSnapshot name: String, progress: Progress? = nil) async throws(CephError) {
        try await performMarking("rbd_snap_rollback", on: "@\(name)", progress) {
            rbd_snap_rollback_with_progress($0, name, $1, $2)
        }
    }

    /// The highest number of snapshots, of all namespaces; nil without a limit.
    ///
    /// - C call: `rbd_snap_get_limit`
    public func snapshotLimit() async throws(CephError) -> UInt64? {
        let subject = subject
        return try await lend("rbd_snap_get_limit") { (image) throws(CephError) in
            var limit: UInt64 = 0
            try check(rbd_snap_get_limit(image, &limit), "rbd_snap_get_limit", on: subject)
            return limit == .max ? nil : limit
        }
    }

    /// Sets the highest number of snapshots; nil for no limit.
    ///
    /// - C call: `rbd_snap_set_limit`
    public func setSnapshotLimit(_ limit: UInt64?) async throws(CephError) {
        try await perform("rbd_snap_set_limit") { rbd_snap_set_limit($0, limit ?? .max) }
    }
}
