public import CephCore
internal import Glibc

/// The exclusive lock of a replica, held as librbd holds it, together with the watch it stands on.
///
/// Other clients believe a lock only while its owner watches the header. The watch answers their
/// requests with typed replies: the lock is not given away, except to a forced promotion, which the
/// owner of this object is told of in ``events``.
public final class ImageLock: Sendable {
    /// What other clients ask of the lock's owner.
    public enum Event: Sendable {
        /// Somebody changed the image (or the watch was interrupted and something may have been missed).
        case headerUpdated
        /// The watch was made anew: ``ImageLock/renew()`` tells whether the lock outlived that.
        case resumed
        /// Another client says that it has taken the lock: ``ImageLock/check()`` tells.
        case challenged
        /// A promotion wants the image, by force or because it was offered (``ImageLock/offer(_:)``): let go of it, then answer
        /// with ``ImageLock/yield(to:)``.
        case promotionRequested(Notification)
        /// The watch is gone for good, and with it the lock.
        case lost(CephError)
    }

    /// The lock's name on the header.
    public static let name = "rbd_lock"
    static let tag = "internal"
    /// Global ids of clients with locks that they may not take back themselves.
    private static let abandoners = Locked(Set<UInt64>())

    public let object: String
    /// For one reader; buffers the newest 64 events and ends with ``close()``.
    public let events: AsyncStream<Event>
    private let pool: Pool
    private let watch: Watch
    private let sink: AsyncStream<Event>.Continuation
    private let state = Locked(State())
    private let isOffered: Locked<Bool>
    private let forwarder: Task<Void, Never>

    private struct State: Sendable {
        var cookie: String?
        /// Under way: the cluster may have the new cookie already.
        var renewal: Task<CephError?, Never>?
    }

    private init(pool: Pool, object: String, watch: Watch, isOffered: Locked<Bool>) {
        self.isOffered = isOffered
        self.pool = pool
        self.object = object
        self.watch = watch
        let (events, sink) = AsyncStream<Event>.makeStream(bufferingPolicy: .bufferingNewest(64))
        self.events = events
        self.sink = sink
        let own = pool.cluster.globalID
        forwarder = Task {
            for await event in watch.events { Self.forward(event, own, isOffered, to: sink) }
            sink.finish()
        }
    }

    /// Watches an image's header without taking the lock.
    public static func watching(_ imageID: String, in pool: Pool) async throws(CephError) -> ImageLock {
        let object = ObjectNames.header(imageID)
        let isOffered = Locked(false)
        let watch = try await pool.watch(object) { Self.respond($0, isOffered) }
        return ImageLock(pool: pool, object: object, watch: watch, isOffered: isOffered)
    }

    /// Says whether the image is to be had for a promotion without force: the source was demoted, and all of it is here.
    public func offer(_ isToBeHad: Bool) { isOffered.withLock { $0 = isToBeHad } }

    /// Whether the lock is held; false for images without the feature.
    public var isHeld: Bool { state.withLock { $0.cookie != nil } }

    /// The guard that goes in front of every change of metadata; nil without a lock.
    public var assertion: ClassCall? { cookie.map(Self.assertion) }

    var cookie: String? { state.withLock(\.cookie) }

    /// The cookie once a renewal that is under way has ended.
    func cookieAfterRenewal() async -> String? {
        if let renewal = state.withLock(\.renewal) { _ = await renewal.value }
        return cookie
    }

    static func assertion(_ cookie: String) -> ClassCall {
        LockMethod.assertLocked(name: name, kind: .exclusive, cookie: cookie, tag: tag)
    }

    private static func forward(_ event: WatchEvent, _ own: UInt64, _ isOffered: Locked<Bool>, to sink: AsyncStream<Event>.Continuation) {
        switch event.kind {
        case .notified(let notification):
            guard notification.notifier != own, let message = try? HeaderNotification(encoded: notification.payload) else { return }
            if message.asksForImage(isOffered.withLock { $0 }) { sink.yield(.promotionRequested(notification)) }
            if message.operation == .headerUpdate { sink.yield(.headerUpdated) }
            if message.operation == .acquiredLock { sink.yield(.challenged) }
        case .interrupted: sink.yield(.headerUpdated)
        case .resumed: sink.yield(.resumed)
        case .lost(let error): sink.yield(.lost(error))
        }
    }

    /// Runs on Ceph's thread: typed replies, since empty ones are answered with a storm of repetitions.
    private static func respond(_ notification: Notification, _ isOffered: Locked<Bool>) -> NotificationReply {
        guard let message = try? HeaderNotification(encoded: notification.payload) else { return .now() }
        if message.asksForImage(isOffered.withLock { $0 }) { return .later }
        return switch message.operation {
        case .acquiredLock, .releasedLock, .headerUpdate, .asyncProgress, .asyncComplete, .unquiesce: .now()
        case .quiesce: .now(ResponseMessage(result: 0).encoded)
        default: .now(ResponseMessage(result: -EROFS).encoded)
        }
    }
}

extension CephError {
    /// The image's lock is not ours any more: it was broken, and perhaps taken by somebody else.
    public var isLostLock: Bool { isBusy && operation.hasSuffix("lock.assert_locked") }
}

extension HeaderNotification {
    /// Whether a promotion asks for the image: for the lock, or for its snapshot to be made by the lock's owner.
    fileprivate func asksForImage(_ isOffered: Bool) -> Bool {
        if isForcedPromotion { return true }
        guard isOffered else { return false }
        if case .mirror? = requestedSnapshot { return true }
        return operation == .requestLock
    }
}

extension ImageLock {
    /// Who else holds the lock.
    public struct Owner: Error, Hashable, Sendable, CustomStringConvertible {
        /// Global id.
        public let client: UInt64
        /// As the blocklist takes it.
        public let address: String
        /// What the owner stored with the lock; empty for librbd.
        public let description: String
    }

    /// Takes the lock; a dead owner is fenced first.
    ///
    /// - Parameter identity: Stored with the lock so that our own successor can recognise us.
    /// - Throws: ``Owner`` when a living client holds it; ``CephError``.
    public func acquire(identity: String = "") async throws {
        guard let handle = watch.handle else {
            throw CephError(code: ENOTCONN, operation: "lock.lock", subject: object)
        }
        let cookie = "auto \(handle)"
        for _ in 0..<3 {
            // Noted first: one that is not answered may be ours all the same, and is to be given back.
            state.withLock { $0.cookie = cookie }
            do throws(CephError) {
                try await pool.change(object, with: LockMethod.lock(
                    name: Self.name, kind: .exclusive, cookie: cookie, tag: Self.tag, description: identity))
                return
            } catch {
                if error.alreadyExists { return }
                if !error.isTimeout { state.withLock { $0.cookie = nil } }
                guard error.isBusy else { throw error }
            }
            try await fenceDeadOwner()
        }
        throw CephError(code: EBUSY, operation: "lock.lock", subject: object)
    }

    private func fenceDeadOwner() async throws {
        let info = try await pool.lockInfo(of: object, name: Self.name)
        guard let holder = info.lockers.first else { return }
        if holder.client == pool.cluster.globalID, !Self.abandoners.withLock({ $0.contains(holder.client) }) {
            // Left by an earlier lock of this client, whose release was not answered or met a cookie that was just being changed.
            try await pool.breakLock(holder, named: Self.name, on: object)
        } else {
            try await fence(holder)
        }
    }

    private func fence(_ holder: LockInfo.Locker) async throws {
        let clients = try await pool.watchingClients(of: object)
        guard !clients.contains(holder.client) else {
            throw Owner(client: holder.client, address: holder.address, description: holder.description)
        }
        try await pool.fence(holder, lock: Self.name, on: object)
    }

    /// Gives the lock back and tells the watchers.
    ///
    /// - C calls: `lock.unlock`, `rados_notify2`
    public func release() async throws(CephError) {
        guard let cookie = state.withLock({ state in
            defer { state.cookie = nil }
            return state.cookie
        }) else { return }
        do throws(CephError) {
            try await pool.change(object, with: LockMethod.unlock(name: Self.name, cookie: cookie))
        } catch {
            guard error.isNotFound else { throw error }
            // A new watch may have changed the cookie meanwhile.
            let info = try await pool.lockInfo(of: object, name: Self.name)
            if let own = info.lockers.first(where: { $0.client == pool.cluster.globalID }) {
                try await pool.breakLock(own, named: Self.name, on: object)
            }
        }
        let client = HeaderNotification.Client(globalID: pool.cluster.globalID, handle: watch.handle ?? 0)
        _ = try await pool.notify(object, HeaderNotification.releasedLock(client).encoded)
    }

    /// Answers a forced promotion after everything in flight has ended: unlocks and lets it go on.
    public func yield(to notification: Notification) async throws(CephError) {
        try await release()
        notification.acknowledge()
    }

    /// Refuses a forced promotion with `EROFS`.
    public func refuse(_ notification: Notification) {
        notification.acknowledge(ResponseMessage(result: -EROFS).encoded)
    }

    /// Ends the watch and leaves the lock behind: whoever takes it has to fence this client first.
    ///
    /// For a client with a change that was not answered: it may still be applied.
    public func abandon() async {
        Self.abandoners.withLock { _ = $0.insert(pool.cluster.globalID) }
        await watch.cancel(within: .seconds(1))
        forwarder.cancel()
        sink.finish()
    }

    /// Ends the watch, and the lock with it.
    public func close() async {
        try? await release()
        await watch.cancel(within: .seconds(5))
        forwarder.cancel()
        sink.finish()
    }

    /// Asks the cluster whether the lock is still ours; does nothing when none is held.
    ///
    /// - Throws: An error with ``CephError/isLostLock``.
    /// - Class method: `lock.assert_locked`
    public func check() async throws(CephError) {
        guard let assertion else { return }
        _ = try await pool.call(assertion, on: object)
    }

    /// After the watch was made again: the lock's cookie follows the new handle.
    ///
    /// - Throws: `ENOENT` or `EBUSY` when the lock was lost meanwhile.
    public func renew() async throws(CephError) {
        guard let old = state.withLock(\.cookie), let handle = watch.handle else { return }
        let cookie = "auto \(handle)"
        // The new watch may have got the handle of the old one.
        guard cookie != old else { return try await check() }
        let (pool, object, state) = (pool, object, state)
        let renewal = Task { () -> CephError? in
            do throws(CephError) {
                try await pool.change(object, with: LockMethod.setCookie(
                    name: Self.name, kind: .exclusive, cookie: old, tag: Self.tag, newCookie: cookie))
            } catch { return error }
            // Given back meanwhile, it is held no more.
            state.withLock { if $0.cookie == old { $0.cookie = cookie } }
            return nil
        }
        state.withLock { $0.renewal = renewal }
        let failure = await renewal.value
        state.withLock { $0.renewal = nil }
        if let failure { throw failure }
    }
}
