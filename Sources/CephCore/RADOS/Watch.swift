internal import CCeph
internal import Glibc

/// A notification that arrived on a watched object.
public struct Notification: Sendable {
    /// Unique while it waits for its acknowledgements.
    public let id: UInt64
    /// Global id of the client that sent it.
    public let notifier: UInt64
    public let payload: [UInt8]
    let acknowledgement: Acknowledgement

    /// Sends the acknowledgement of a notification whose responder answered ``NotificationReply/later``.
    ///
    /// The notifier waits for it until its time-out.
    /// - C call: `rados_notify_ack`
    public func acknowledge(_ reply: [UInt8] = []) { acknowledgement.send(reply) }
}

/// What a watch's responder says to a notification.
public struct NotificationReply: Sendable {
    let bytes: [UInt8]?

    /// Acknowledges at once with these bytes.
    public static func now(_ bytes: [UInt8] = []) -> NotificationReply { NotificationReply(bytes: bytes) }
    /// Leaves the acknowledgement to ``Notification/acknowledge(_:)``.
    public static let later = NotificationReply(bytes: nil)
}

/// What happens on a watch, in order.
public struct WatchEvent: Sendable {
    public enum Kind: Sendable {
        /// A notification; the responder has been asked already.
        case notified(Notification)
        /// Notifications may have been missed from here on: the watch is being made again.
        case interrupted(CephError)
        /// The watch stands again under a new handle; read again what it guards.
        case resumed
        /// The client is blocklisted or the object is gone: nothing more will come.
        case lost(CephError)
    }

    public let kind: Kind
}

/// Sends one acknowledgement.
struct Acknowledgement: Sendable {
    let pool: Pool
    let object: String
    let id: UInt64
    let cookie: UInt64

    func send(_ reply: [UInt8]) {
        reply.withUnsafeBytes {
            _ = rados_notify_ack(
                pool.handle.pointer, object, id, cookie, $0.baseAddress?.assumingMemoryBound(to: CChar.self), CInt($0.count))
        }
    }
}

/// A watch on an object that makes itself anew when the connection to the object was lost.
///
///     let watch = try await pool.watch("rbd_mirroring") { notification in .now() }
///     for await event in watch.events { … }
///     await watch.cancel()
///
/// The responder runs on one of Ceph's own threads: it must only look at the bytes and answer.
public final class Watch: Sendable {
    public typealias Responder = @Sendable (Notification) -> NotificationReply

    public let object: String
    /// Everything that happens; buffers the newest 1,024 events.
    public let events: AsyncStream<WatchEvent>
    private let pool: Pool
    private let respond: Responder
    private let sink: AsyncStream<WatchEvent>.Continuation
    private let state = Locked(State())

    private struct State {
        var handle: UInt64?
        var isCancelled = false
        var repair: Task<Void, Never>?
        /// Handles whose error came before the registration's own answer.
        var brokenEarly: [UInt64: CInt] = [:]
    }

    fileprivate init(pool: Pool, object: String, respond: @escaping Responder) {
        self.pool = pool
        self.object = object
        self.respond = respond
        (events, sink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    }

    /// The current handle, known to the cluster as the watch's cookie; nil while interrupted.
    public var handle: UInt64? { state.withLock { $0.handle } }

    /// Ends the watch: no responder runs after this returns.
    ///
    /// - C calls: `rados_aio_unwatch`, `rados_aio_watch_flush`
    public func cancel() async {
        let (handle, repair) = state.withLock { state in
            state.isCancelled = true
            defer { state.handle = nil }
            return (state.handle, state.repair)
        }
        repair?.cancel()
        await repair?.value
        if let handle { await unwatch(handle) }
        let late = state.withLock { state in
            defer { state.handle = nil }
            return state.handle
        }
        if let late { await unwatch(late) }
        sink.finish()
    }

    /// Asks librados whether the watch still stands.
    ///
    /// - Throws: The error that broke it, `ENOTCONN` while it is being made again.
    /// - C call: `rados_watch_check`
    public func check() throws(CephError) {
        guard let handle else { throw CephError(code: ENOTCONN, operation: "rados_watch_check", subject: pool.subject(object)) }
        try CephCore.check(rados_watch_check(pool.handle.pointer, handle), "rados_watch_check", on: pool.subject(object))
    }

    fileprivate func start() async throws(CephError) {
        // C holds one reference for each registration; it is given back after unwatch and flush.
        let argument = UnsafeHandle(pointer: Unmanaged.passRetained(self).toOpaque())
        let slot = HandleSlot()
        let pool = pool
        do throws(CephError) {
            try await awaitRADOS(
                "rados_aio_watch2", on: pool.subject(object), within: pool.cluster.deadlines.object,
                tooLate: { code in
                    if code >= 0 { rados_unwatch2(pool.handle.pointer, slot.value) }
                    withExtendedLifetime(slot) {}
                }
            ) {
                rados_aio_watch2(
                    pool.handle.pointer, object, $0, slot.pointer,
                    { argument, id, handle, notifier, data, length in
                        let bytes = Array(UnsafeRawBufferPointer(start: data, count: length))
                        Unmanaged<Watch>.fromOpaque(argument!).takeUnretainedValue()
                            .received(id: id, handle: handle, notifier: notifier, bytes)
                    },
                    { argument, handle, code in
                        Unmanaged<Watch>.fromOpaque(argument!).takeUnretainedValue().broke(handle, code)
                    }, 0, argument.pointer)
            }
        } catch {
            if !error.isTimeout { Unmanaged<Watch>.fromOpaque(argument.pointer).release() }
            throw error
        }
        let handle = slot.value
        let (unwanted, early): (Bool, CInt?) = state.withLock { state in
            if state.isCancelled { return (true, nil) }
            state.handle = handle
            return (false, state.brokenEarly.removeValue(forKey: handle))
        }
        if unwanted { await unwatch(handle) }
        if let early { broke(handle, early) }
    }

    private func received(id: UInt64, handle: UInt64, notifier: UInt64, _ bytes: [UInt8]) {
        let acknowledgement = Acknowledgement(pool: pool, object: object, id: id, cookie: handle)
        let notification = Notification(id: id, notifier: notifier, payload: bytes, acknowledgement: acknowledgement)
        if let reply = respond(notification).bytes { acknowledgement.send(reply) }
        sink.yield(WatchEvent(kind: .notified(notification)))
    }

    private func broke(_ handle: UInt64, _ code: CInt) {
        let error = CephError(code: code, operation: "watch", subject: pool.subject(object))
        state.withLock { state in
            guard !state.isCancelled else { return }
            guard state.handle == handle else {
                state.brokenEarly[handle] = code
                return
            }
            state.handle = nil
            state.repair = Task.detached { await self.rewatch(replacing: handle, after: error) }
        }
    }

    private func rewatch(replacing handle: UInt64, after error: CephError) async {
        sink.yield(WatchEvent(kind: .interrupted(error)))
        await unwatch(handle)
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do throws(CephError) {
                try await start()
                sink.yield(WatchEvent(kind: .resumed))
                return
            } catch {
                if error.isBlocklisted || error.isNotFound {
                    sink.yield(WatchEvent(kind: .lost(error)))
                    return
                }
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func unwatch(_ handle: UInt64) async {
        let deadline = pool.cluster.deadlines.object
        _ = try? await awaitRADOS("rados_aio_unwatch", on: object, within: deadline) {
            rados_aio_unwatch(pool.handle.pointer, handle, $0)
        }
        let flushed = try? await awaitRADOS("rados_aio_watch_flush", on: object, within: deadline) {
            rados_aio_watch_flush(pool.cluster.handle.pointer, $0)
        }
        // Without the flush a callback may still come: then the reference stays.
        if flushed != nil { Unmanaged.passUnretained(self).release() }
    }
}

/// Where C writes the handle of a watch that is being made.
private final class HandleSlot: @unchecked Sendable {
    let pointer = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    init() { pointer.initialize(to: 0) }
    deinit { pointer.deallocate() }
    var value: UInt64 { pointer.pointee }
}

extension Pool {
    /// Watches an object.
    ///
    /// - Parameter respond: Answers each notification, on one of Ceph's threads; acknowledges with
    ///   nothing by default.
    /// - Throws: `ENOENT` when the object does not exist.
    /// - C call: `rados_aio_watch2`
    public func watch(
        _ object: String, respond: @escaping Watch.Responder = { _ in .now() }
    ) async throws(CephError) -> Watch {
        let watch = Watch(pool: self, object: object, respond: respond)
        try await watch.start()
        return watch
    }
}
