public import CephCore

extension Pool {
    /// Global ids of the clients that watch an object.
    ///
    /// Where librados.hpp was not found, asks by a header-update notification, which every watcher answers
    /// or lets time out.
    func watchingClients(of object: String) async throws(CephError) -> Set<UInt64> {
        if Pool.usesNative { return Set(try await watchers(of: object).map(\.client)) }
        let outcome = try await notify(object, HeaderNotification.headerUpdate.encoded)
        return Set(outcome.replies.map(\.watcher) + outcome.silent.map(\.watcher))
    }

    /// Who holds a lock (class `lock`) on an object.
    public func lockInfo(of object: String, name: String) async throws(CephError) -> LockInfo {
        let reply = try await call(LockMethod.getInfo(name: name), on: object)
        do throws(WireError) { return try LockInfo(encoded: reply) } catch {
            throw .undecodable(error, operation: "lock.get_info", subject: object)
        }
    }

    /// Blocklists a dead lock owner, waits until the OSDs know, and breaks its lock.
    ///
    /// Nothing the owner sent can be applied after this returns.
    public func fence(_ locker: LockInfo.Locker, lock: String, on object: String) async throws(CephError) {
        try await cluster.blocklist(locker.address)
        try await cluster.waitForLatestMap()
        try await breakLock(locker, named: lock, on: object)
    }

    /// Takes a lock away from who holds it, if it is there still.
    @inline(never)  // Swift 6.3.1's optimiser crashes on it within its callers.
    func breakLock(_ locker: LockInfo.Locker, named name: String, on object: String) async throws(CephError) {
        do throws(CephError) {
            try await change(object, with: LockMethod.breakLock(name: name, client: locker.client, cookie: locker.cookie))
        } catch {
            guard error.isNotFound else { throw error }
        }
    }
}
