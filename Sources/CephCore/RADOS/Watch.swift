internal import CCeph
internal import Glibc

/// A watch on an object that makes itself anew when the connection to the object was lost.
///
///     let watch = try await pool.watch("rbd_mirroring") { notification in .now() }
///     for await event in watch.events { … }
///     await watch.cancel()
///
/// The responder runs on one of Ceph's own threads: it must only look at the bytes and answer.
/// A watch that is let go without ``cancel(within:)`` ends in the background.
public final class Watch: Sendable {
    /// Answers one notification, on one of Ceph's threads: it must not block or call Ceph.
    public typealias Responder = @Sendable (Notification) -> NotificationReply

    /// Everything that happens; buffers the newest 1,024 events and ends with the watch.
    public let events: AsyncStream<WatchEvent>
    private let keeper: WatchKeeper
    private let work: Task<Void, Never>

    fileprivate init(events: AsyncStream<WatchEvent>, keeper: WatchKeeper, work: Task<Void, Never>) {
        self.events = events
        self.keeper = keeper
        self.work = work
    }

    deinit { work.cancel() }

    public var object: String { keeper.object }

    /// The current handle, known to the cluster as the watch's cookie; nil while interrupted and after the end.
    public var handle: UInt64? { keeper.standing.withLock { $0?.handle } }

    /// Ends the watch: no responder runs after this returns.
    ///
    /// - Parameter limit: How long to wait for an object that does not answer (the object deadline by default); its OSD
    ///   drops the watch by itself some time after this client's connection to it has gone.
    /// - C calls: `rados_aio_unwatch`, `rados_aio_watch_flush`
    public func cancel(within limit: Duration? = nil) async {
        keeper.patience.withLock { $0 = limit }
        work.cancel()
        await work.value
    }

    /// Asks librados whether the watch still stands.
    ///
    /// - Throws: The error that broke it, `ENOTCONN` while it is being made again.
    /// - C call: `rados_watch_check`
    public func check() throws(CephError) {
        let subject = keeper.pool.subject(object)
        guard let standing = keeper.standing.withLock({ $0 }) else {
            throw CephError(code: ENOTCONN, operation: "rados_watch_check", subject: subject)
        }
        try keeper.pool.cluster.call("rados_watch_check", on: subject) {
            rados_watch_check(keeper.pool.handle.pointer, standing.handle)
        }
    }
}

extension Pool {
    /// Watches an object.
    ///
    /// - Parameters:
    ///   - timeout: How long the OSD waits for a silent watcher, in whole seconds; its own setting (30 s) by default. Clients
    ///     show signs of life every `objecter_tick_interval` (5 s).
    ///   - respond: Answers each notification, on one of Ceph's threads; acknowledges with nothing by default.
    /// - Throws: `ENOENT` when the object does not exist. After `ETIMEDOUT` the OSD may have a watch that nobody answers, for
    ///   as long as its time-out.
    /// - C call: `rados_aio_watch2`
    public func watch(
        _ object: String, timeout: Duration? = nil, respond: @escaping Watch.Responder = { _ in .now() }
    ) async throws(CephError) -> Watch {
        let (events, sink) = AsyncStream<WatchEvent>.makeStream(bufferingPolicy: .bufferingNewest(1024))
        let seconds = timeout.map { UInt32(clamping: max(1, Int($0.inSeconds.rounded(.up)))) } ?? 0
        let keeper = WatchKeeper(pool: self, object: object, timeout: seconds, sink: sink, respond: respond)
        let first = try await keeper.register()
        return Watch(events: events, keeper: keeper, work: Task.detached { await keeper.keep(first) })
    }
}

/// Keeps a watch standing until its task is cancelled.
final class WatchKeeper: Sendable {
    let pool: Pool
    let object: String
    let standing = Locked<WatchRegistration?>(nil)
    /// How long the end may take; nil for the object deadline.
    let patience = Locked<Duration?>(nil)
    private let timeout: UInt32
    private let sink: AsyncStream<WatchEvent>.Continuation
    private let respond: Watch.Responder

    init(
        pool: Pool, object: String, timeout: UInt32, sink: AsyncStream<WatchEvent>.Continuation,
        respond: @escaping Watch.Responder
    ) {
        self.pool = pool
        self.object = object
        self.timeout = timeout
        self.sink = sink
        self.respond = respond
    }

    func register() async throws(CephError) -> WatchRegistration {
        let sink = sink
        let respond = respond
        let registration = try await WatchRegistration.make(pool, object, timeout: timeout) { notification in
            let reply = respond(notification)
            if let bytes = reply.bytes { notification.acknowledge(bytes) }
            sink.yield(WatchEvent(kind: .notified(notification)))
        }
        standing.withLock { $0 = registration }
        return registration
    }

    func keep(_ first: WatchRegistration) async {
        var current = first
        while let failure = await current.failure() {
            standing.withLock { $0 = nil }
            sink.yield(WatchEvent(kind: .interrupted(failure)))
            await current.end(within: pool.cluster.deadlines.object)
            guard let next = await again() else { return sink.finish() }
            current = next
            sink.yield(WatchEvent(kind: .resumed))
        }
        standing.withLock { $0 = nil }
        await current.end(within: patience.withLock { $0 } ?? pool.cluster.deadlines.object)
        sink.finish()
    }

    /// Registers anew, trying until it works; nil when that is pointless or the task was cancelled.
    private func again() async -> WatchRegistration? {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do throws(CephError) {
                return try await register()
            } catch {
                if error.isBlocklisted || error.isNotFound || error.code == ENOTCONN {
                    sink.yield(WatchEvent(kind: .lost(error)))
                    return nil
                }
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
        return nil
    }
}
