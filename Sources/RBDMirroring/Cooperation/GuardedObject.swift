internal import CephCore
internal import Glibc
internal import RBDImage

/// An object that this client watches and may hold the lock of, the way stock's managed locks do it.
///
/// The lock's cookie names the watch: others take an owner without a watch for dead.
final class GuardedObject: Sendable {
    /// What came of a try for the lock.
    enum Attempt: Hashable, Sendable {
        case locked
        /// Held by this client; nil when it was free at the second look.
        case refused(by: LeaderElection.Holder?)
    }

    private static let tag = "internal"

    let pool: Pool
    let name: String
    let watch: Watch
    private let identity: String
    private let cookie = Locked<String?>(nil)

    /// - Parameter identity: Stored with the lock.
    init(
        watching name: String, in pool: Pool, identity: String, respond: @escaping Watch.Responder
    ) async throws(CephError) {
        self.pool = pool
        self.name = name
        self.identity = identity
        watch = try await pool.watch(name, respond: respond)
    }

    /// Tries to take the lock.
    ///
    /// - Throws: ``CephError``; after a time-out the lock may be held: a later try tells.
    func tryLock() async throws(CephError) -> Attempt {
        try watch.check()
        guard let fresh = watchCookie else { throw CephError(code: ENOTCONN, operation: "lock.lock", subject: name) }
        do throws(CephError) {
            // Noted first: a try without an answer may have succeeded.
            cookie.withLock { $0 = fresh }
            try await pool.change(name, with: LockMethod.lock(
                name: LeaderObject.lock, kind: .exclusive, cookie: fresh, tag: Self.tag, description: identity))
            return .locked
        } catch {
            if error.alreadyExists { return .locked }
            guard error.isBusy else { throw error }
            cookie.withLock { $0 = nil }
        }
        return try await lookAtHolder()
    }

    private func lookAtHolder() async throws(CephError) -> Attempt {
        let info = try await pool.lockInfo(of: name, name: LeaderObject.lock)
        guard let locker = info.lockers.first else { return .refused(by: nil) }
        if locker.client == pool.cluster.globalID {
            // Ours, under the handle of an earlier watch.
            cookie.withLock { $0 = locker.cookie }
            try await renewLock()
            return .locked
        }
        return .refused(by: .init(
            client: locker.client, cookie: locker.cookie, address: locker.address, watches: try await isWatching(locker.client)))
    }

    /// Where librados.hpp was not found, everybody counts as watching.
    private func isWatching(_ client: UInt64) async throws(CephError) -> Bool {
        guard Pool.usesNative else { return true }
        return try await pool.watchers(of: name).contains { $0.client == client }
    }

    private var watchCookie: String? { watch.handle.map { "auto \($0)" } }

    /// After the watch was made again: the lock's cookie follows the new handle.
    ///
    /// - Throws: `ENOENT` or `EBUSY` when the lock was lost meanwhile.
    func renewLock() async throws(CephError) {
        guard let old = cookie.withLock(\.self), let fresh = watchCookie, fresh != old else { return }
        try await pool.change(name, with: LockMethod.setCookie(
            name: LeaderObject.lock, kind: .exclusive, cookie: old, tag: Self.tag, newCookie: fresh))
        cookie.withLock { $0 = fresh }
    }

    /// Whether the cluster, too, says that the lock is ours.
    func holdsLock() async throws(CephError) -> Bool {
        guard let cookie = cookie.withLock(\.self) else { return false }
        do throws(CephError) {
            _ = try await pool.call(
                LockMethod.assertLocked(name: LeaderObject.lock, kind: .exclusive, cookie: cookie, tag: Self.tag), on: name)
            return true
        } catch {
            guard error.isBusy || error.isNotFound else { throw error }
            return false
        }
    }

    /// Gives the lock back; harmless when it is not held.
    func unlock() async throws(CephError) {
        guard let cookie = cookie.withLock(\.self) else { return }
        do throws(CephError) {
            try await pool.change(name, with: LockMethod.unlock(name: LeaderObject.lock, cookie: cookie), flags: .evenWhenFull)
        } catch {
            guard error.isNotFound || error.isBusy else { throw error }
        }
        self.cookie.withLock { $0 = nil }
    }
}
