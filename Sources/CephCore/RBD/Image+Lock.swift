internal import CCeph
internal import Glibc

extension Image {
    /// Who may hold an image's lock at a time.
    public struct LockMode: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let exclusive = LockMode(rawValue: 0)
        public static let shared = LockMode(rawValue: 1)
    }

    /// Who holds the lock: address and cookie, as ``breakLock(of:mode:)`` takes them.
    public struct LockOwners: Hashable, Sendable {
        public let mode: LockMode
        /// Empty when nobody does.
        public let owners: [String]
    }

    /// The owners of the exclusive lock, as librbd manages it.
    ///
    /// - C call: `rbd_lock_get_owners`
    public func lockOwners() async throws(CephError) -> LockOwners {
        let subject = subject
        return try await lend("rbd_lock_get_owners") { (image) throws(CephError) in
            var mode = RBD_LOCK_MODE_EXCLUSIVE
            var found = [UnsafeMutablePointer<CChar>?](repeating: nil, count: 8)
            var count = found.count
            var code = rbd_lock_get_owners(image, &mode, &found, &count)
            while code == -ERANGE {
                found = Array(repeating: nil, count: max(count, found.count * 2))
                count = found.count
                code = rbd_lock_get_owners(image, &mode, &found, &count)
            }
            if code == -ENOENT { return LockOwners(mode: .exclusive, owners: []) }
            try check(code, "rbd_lock_get_owners", on: subject)
            defer { rbd_lock_get_owners_cleanup(&found, count) }
            return LockOwners(mode: LockMode(rawValue: mode.rawValue), owners: found.prefix(count).map { CText.string($0) })
        }
    }

    /// Whether this image handle holds the exclusive lock.
    ///
    /// - C call: `rbd_is_exclusive_lock_owner`
    public func isLockOwner() async throws(CephError) -> Bool {
        let subject = subject
        return try await lend("rbd_is_exclusive_lock_owner") { (image) throws(CephError) in
            var isOwner: CInt = 0
            try check(rbd_is_exclusive_lock_owner(image, &isOwner), "rbd_is_exclusive_lock_owner", on: subject)
            return isOwner != 0
        }
    }

    /// Takes the lock and keeps it: others are refused until it is released.
    ///
    /// - Throws: `EROFS` when another client holds it so, `EINVAL` on an image without the feature.
    /// - C call: `rbd_lock_acquire`
    public func acquireLock(_ mode: LockMode = .exclusive) async throws(CephError) {
        try await perform("rbd_lock_acquire") { rbd_lock_acquire($0, rbd_lock_mode_t(mode.rawValue)) }
    }

    /// Gives the lock back.
    ///
    /// - C call: `rbd_lock_release`
    public func releaseLock() async throws(CephError) {
        try await perform("rbd_lock_release") { rbd_lock_release($0) }
    }

    /// Takes the lock away from a client and blocklists it.
    ///
    /// - Parameter owner: As ``lockOwners()`` shows it.
    /// - C call: `rbd_lock_break`
    public func breakLock(of owner: String, mode: LockMode = .exclusive) async throws(CephError) {
        try await perform("rbd_lock_break", on: owner) { rbd_lock_break($0, rbd_lock_mode_t(mode.rawValue), owner) }
    }

    /// The clients that have the image open for writing, this one included.
    ///
    /// - C call: `rbd_watchers_list`
    public func watchers() async throws(CephError) -> [Watcher] {
        let subject = subject
        return try await lend("rbd_watchers_list") { (image) throws(CephError) in
            var (found, count) = try CText.list(of: rbd_image_watcher_t(), from: 16, "rbd_watchers_list", on: subject) {
                rbd_watchers_list(image, $0, $1)
            }
            defer { rbd_watchers_list_cleanup(&found, count) }
            return found.prefix(count).map {
                Watcher(address: CText.string($0.addr), client: UInt64(bitPattern: $0.id), cookie: $0.cookie)
            }
        }
    }
}
