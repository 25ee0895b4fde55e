internal import CCeph
internal import Glibc

/// One registration of a watch with librados: from `rados_aio_watch2` to its end.
///
/// C holds a reference to it until no callback can come any more.
final class WatchRegistration: Sendable {
    private let pool: Pool
    private let object: String
    private let received: @Sendable (Notification) -> Void
    /// Where C writes the handle.
    private let slot: UnsafeHandle
    /// Whether notifications are no longer passed on, while the end goes on without its caller.
    private let isSilent = Locked(false)
    private let failures: AsyncStream<CephError>
    private let failing: AsyncStream<CephError>.Continuation

    private init(_ pool: Pool, _ object: String, received: @escaping @Sendable (Notification) -> Void) {
        self.pool = pool
        self.object = object
        self.received = received
        let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        memory.initialize(to: 0)
        slot = UnsafeHandle(pointer: memory)
        (failures, failing) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    deinit { slot.pointer.deallocate() }

    /// The cookie, once registered.
    var handle: UInt64 { slot.pointer.load(as: UInt64.self) }

    /// Waits until the watch is broken; nil when the task was cancelled.
    func failure() async -> CephError? {
        for await failure in failures { return failure }
        return nil
    }

    static func make(
        _ pool: Pool, _ object: String, timeout: UInt32, received: @escaping @Sendable (Notification) -> Void
    ) async throws(CephError) -> WatchRegistration {
        let operation = "rados_aio_watch2"
        let registration = WatchRegistration(pool, object, received: received)
        let argument = UnsafeHandle(pointer: Unmanaged.passRetained(registration).toOpaque())
        let code: Int?
        do throws(CephError) {
            code = try await pool.cluster.lingeringCompletion(
                of: operation, on: pool.subject(object), within: pool.cluster.deadlines.object, yieldsToCancellation: true,
                tooLate: { code in
                    if code < 0 { return registration.forget() }
                    // This is one of Ceph's threads: not to be waited on.
                    Task.detached { await registration.end(within: pool.cluster.deadlines.object) }
                }
            ) { completion in
                rados_aio_watch2(
                    pool.handle.pointer, object, completion, registration.slot.pointer.assumingMemoryBound(to: UInt64.self),
                    { argument, id, handle, notifier, data, length in
                        let bytes = Array(UnsafeRawBufferPointer(start: data, count: length))
                        Unmanaged<WatchRegistration>.fromOpaque(argument!).takeUnretainedValue()
                            .notified(id: id, handle: handle, notifier: notifier, bytes)
                    },
                    { argument, _, code in
                        Unmanaged<WatchRegistration>.fromOpaque(argument!).takeUnretainedValue().broke(code)
                    }, timeout, argument.pointer)
            }
        } catch {
            registration.forget()
            throw error
        }
        guard let code else { throw .timeout(operation, on: pool.subject(object)) }
        if code < 0 { registration.forget() }
        try check(CInt(clamping: code), operation, on: pool.subject(object))
        return registration
    }

    private func notified(id: UInt64, handle: UInt64, notifier: UInt64, _ bytes: [UInt8]) {
        guard !isSilent.withLock({ $0 }) else { return }
        let acknowledgement = Acknowledgement(pool: pool, object: object, id: id, cookie: handle)
        received(Notification(id: id, notifier: notifier, payload: bytes, acknowledgement: acknowledgement))
    }

    private func broke(_ code: CInt) {
        failing.yield(CephError(code: code, operation: "watch", subject: pool.subject(object)))
    }

    /// Ends the registration; no callback runs after this returns.
    ///
    /// - Parameter limit: How long to wait for the object's OSD; the end goes on without the caller then.
    func end(within limit: Duration) async {
        let wait = AbandonableWait()
        let ended = await wait.run(within: limit) {
            Task.detached {
                _ = try? await self.pool.cluster.completion(of: "rados_aio_unwatch", on: self.object) {
                    rados_aio_unwatch(self.pool.handle.pointer, self.handle, $0)
                }
                // Without the flush a callback may still come, until the connection has ended.
                if await self.flush() { self.forget() } else { self.pool.cluster.gate.whenEnded { self.forget() } }
                wait.finish(0)
            }
        }
        guard ended == nil else { return }
        isSilent.withLock { $0 = true }
        await flush()
    }

    /// Waits until the callbacks that are under way have ended.
    @discardableResult
    private func flush() async -> Bool {
        (try? await pool.cluster.completion(of: "rados_aio_watch_flush", on: object) {
            rados_aio_watch_flush(pool.cluster.handle.pointer, $0)
        }) != nil
    }

    /// Gives C's reference back.
    private func forget() { Unmanaged.passUnretained(self).release() }
}
