public import CephCore

/// A non-primary image, written at object level where librbd refuses to.
///
/// Owns the image's lock and watch; its methods are the only way the replica is changed. Every
/// change of metadata is guarded by the lock (``ImageLock/assertion``), so that a writer which lost
/// it stops. Reads of the header are explicit: ``refresh()``.
public actor ReplicaImage {
    public nonisolated let id: String
    /// The image's own pool and namespace, without a snapshot context.
    public nonisolated let pool: Pool
    /// The pool of the data objects, which may be ``pool``.
    public nonisolated let dataPool: Pool
    public nonisolated let lock: ImageLock
    let ids: SnapshotIDs
    /// As of the last read; see ``refresh()``.
    public internal(set) var header: ImageHeader

    init(id: String, pool: Pool, dataPool: Pool, lock: ImageLock, ids: SnapshotIDs, header: ImageHeader) {
        self.id = id
        self.pool = pool
        self.dataPool = dataPool
        self.lock = lock
        self.ids = ids
        self.header = header
    }

    /// Opens an image for writing: watches its header and takes its lock.
    ///
    /// - Parameters:
    ///   - ids: Where ids of new snapshots come from.
    ///   - identity: Stored with the lock; see ``ImageLock/acquire(identity:)``.
    /// - Throws: ``ImageLock/Owner`` when a living client holds the lock; `ENOENT` without such an image.
    public static func open(
        _ id: String, in pool: Pool, ids: SnapshotIDs, identity: String = ""
    ) async throws -> ReplicaImage {
        let lock = try await ImageLock.watching(id, in: pool)
        do {
            let header = try await pool.imageHeader(id)
            lock.offer(header.isDemotedReplica)
            if header.features.contains(.exclusiveLock) { try await lock.acquire(identity: identity) }
            let dataPool = try await Self.dataPool(of: header, in: pool)
            return ReplicaImage(id: id, pool: pool, dataPool: dataPool, lock: lock, ids: ids, header: header)
        } catch {
            await lock.close()
            throw error
        }
    }

    static func dataPool(of header: ImageHeader, in pool: Pool) async throws(CephError) -> Pool {
        guard let id = header.dataPool, id != pool.id else { return pool }
        return try await pool.cluster.pool(id: id).inNamespace(pool.namespace)
    }

    /// Ends the watch and leaves the lock behind; see ``ImageLock/abandon()``.
    public func abandon() async { await lock.abandon() }

    /// Gives the lock back and ends the watch.
    public func close() async { await lock.close() }

    /// Reads the header again.
    @discardableResult
    public func refresh() async throws(CephError) -> ImageHeader {
        header = try await pool.imageHeader(id)
        return header
    }

    /// Whether another client watches the header, as everybody does who has the image open for writing.
    ///
    /// False where librados.hpp was not found at build time.
    /// - C++ call: `librados::IoCtx::list_watchers` on the header
    public func isOpenElsewhere() async throws(CephError) -> Bool {
        guard Pool.usesNative else { return false }
        let own = pool.cluster.globalID
        return try await pool.watchers(of: headerObject).contains { $0.client != own }
    }

    var headerObject: String { ObjectNames.header(id) }
    var usesObjectMap: Bool { header.features.contains(.objectMap) }

    /// Applies one guarded change to the header.
    ///
    /// - Throws: An error with ``CephError/isLostLock`` when the lock was taken away.
    func change(_ calls: ClassCall...) async throws(CephError) { try await change(calls) }

    func change(_ calls: [ClassCall]) async throws(CephError) {
        let names = calls.map { "\($0.className).\($0.method)" }.joined(separator: "+")
        try await change(names) { operation in for call in calls { operation.call(call) } }
    }

    /// Applies a guarded operation to the header.
    func change(_ names: String, _ fill: (inout WriteOperation) -> Void) async throws(CephError) {
        let cookie = lock.cookie
        guard var failure = await attempt(cookie, fill) else { return }
        // The watch was made anew meanwhile, and the lock's cookie followed it.
        if failure.isBusy, cookie != nil, let renewed = await lock.cookieAfterRenewal(), renewed != cookie {
            guard let second = await attempt(renewed, fill) else { return }
            failure = second
        }
        throw CephError(code: failure.code, operation: names, subject: failure.subject)
    }

    /// Nothing of it is done where it fails.
    private func attempt(_ cookie: String?, _ fill: (inout WriteOperation) -> Void) async -> CephError? {
        var operation = WriteOperation()
        if let cookie { operation.call(ImageLock.assertion(cookie)) }
        fill(&operation)
        do throws(CephError) { try await pool.apply(operation, to: headerObject) } catch { return error }
        return nil
    }

    /// Tells everybody who has the image open that it changed.
    ///
    /// - C call: `rados_notify2`
    public func notifyHeaderUpdate() async throws(CephError) {
        try await pool.notify(headerObject, HeaderNotification.headerUpdate.encoded)
    }
}

extension ImageHeader {
    /// Whether the newest mirror snapshot is a complete copy of a source's demotion.
    public var isDemotedReplica: Bool {
        guard let newest = mirrorSnapshots.last?.mirror else { return false }
        return newest.complete && newest.state == .nonPrimaryDemoted
    }
}
