/// An advisory lock on an object, which its OSD keeps (class `lock`).
///
///     let lock = ObjectLock("rbd_mirror_leader", on: "rbd_mirror_leader", in: pool)
///     try await lock.acquire(.exclusive, cookie: "auto 1")
///
/// Holders are known by client and cookie. Nothing is kept from others but the lock itself: guard writes with
/// ``WriteOperation/assertLocked(_:_:cookie:tag:)``. A lock stays when its holder dies; break it after the holder was
/// blocklisted.
public struct ObjectLock: Sendable {
    public let name: String
    public let object: String
    public let pool: Pool

    public init(_ name: String, on object: String, in pool: Pool) {
        self.name = name
        self.object = object
        self.pool = pool
    }

    /// Takes the lock; creates the object when it is missing.
    ///
    /// - Parameters:
    ///   - tag: Shared holders must all use the same.
    ///   - duration: After it the lock is free again, in whole seconds; without one it stays until it is given back.
    /// - Throws: `EBUSY` when others hold it in a way that does not go together, `EEXIST` when this client holds it with
    ///   this cookie: after `ETIMEDOUT` that means it was taken after all.
    public func acquire(
        _ kind: LockMethod.Kind, cookie: String, tag: String = "", description: String = "", for duration: Duration? = nil
    ) async throws(CephError) {
        let seconds = duration.map { UInt32(clamping: Int($0.inSeconds.rounded(.up))) } ?? 0
        try await pool.change(object, with: LockMethod.lock(
            name: name, kind: kind, cookie: cookie, tag: tag, description: description, seconds: seconds))
    }

    /// Gives the lock back.
    ///
    /// - Throws: `ENOENT` when this client does not hold it with this cookie.
    public func release(cookie: String) async throws(CephError) {
        try await pool.change(object, with: LockMethod.unlock(name: name, cookie: cookie), flags: .evenWhenFull)
    }

    /// Who holds the lock; an object that never was locked has no lockers.
    ///
    /// - Throws: `ENOENT` when the object does not exist.
    public func info() async throws(CephError) -> LockInfo {
        let reply = try await pool.call(LockMethod.getInfo(name: name), on: object)
        do throws(WireError) {
            var decoder = Decoder(reply)
            return try LockInfo(from: &decoder)
        } catch {
            throw .undecodable(error, operation: "lock.get_info", subject: pool.subject(object))
        }
    }

    /// Takes the lock from a holder, who is not told.
    ///
    /// - Throws: `ENOENT` when it is not held so.
    public func breakLock(of locker: LockInfo.Locker) async throws(CephError) {
        let call = LockMethod.breakLock(name: name, client: locker.client, cookie: locker.cookie)
        try await pool.change(object, with: call, flags: .evenWhenFull)
    }

    /// Changes the cookie of the lock this client holds, without letting go of it.
    ///
    /// - Throws: `EBUSY` when it is not held so, or by others too.
    public func setCookie(
        from cookie: String, to newCookie: String, _ kind: LockMethod.Kind, tag: String = ""
    ) async throws(CephError) {
        try await pool.change(object, with: LockMethod.setCookie(
            name: name, kind: kind, cookie: cookie, tag: tag, newCookie: newCookie))
    }
}

extension WriteOperation {
    /// Fails with `EBUSY` unless this client holds the lock in this way.
    public mutating func assertLocked(_ lock: String, _ kind: LockMethod.Kind, cookie: String, tag: String = "") {
        call(LockMethod.assertLocked(name: lock, kind: kind, cookie: cookie, tag: tag))
    }
}
