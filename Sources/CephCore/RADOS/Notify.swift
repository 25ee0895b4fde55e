internal import CCeph
internal import Glibc

/// Who answered a notification, and who did not.
public struct NotifyOutcome: Sendable {
    /// One watcher's answer.
    public struct Reply: Hashable, Sendable {
        /// Global id of the watcher's client.
        public let watcher: UInt64
        /// The watch's handle there.
        public let cookie: UInt64
        public let payload: [UInt8]
    }

    /// One watcher, without an answer.
    public struct Silent: Hashable, Sendable {
        public let watcher: UInt64
        public let cookie: UInt64
    }

    /// One for each watch that acknowledged; their payload may be empty.
    public let replies: [Reply]
    /// Watchers that did not answer within the time-out.
    public let silent: [Silent]
}

extension Pool {
    /// Notifies all watchers of an object and collects their answers.
    ///
    /// Silent watchers are no error: they are listed in the outcome.
    /// - Parameter timeout: How long watchers have to answer; whole seconds, rounded up.
    /// - Throws: `ENOENT` when the object does not exist; `ETIMEDOUT` when the cluster does not answer.
    /// - C call: `rados_aio_notify`
    @discardableResult
    public func notify(
        _ object: String, _ payload: [UInt8] = [], timeout: Duration = .seconds(5)
    ) async throws(CephError) -> NotifyOutcome {
        let operation = "rados_aio_notify"
        let answer = NotifyBuffer()
        let seconds = max(1, UInt64(timeout.inSeconds.rounded(.up)))
        let code = try await cluster.lingeringCompletion(
            of: operation, on: subject(object), within: .seconds(seconds) + cluster.deadlines.object,
            tooLate: { _ in withExtendedLifetime((answer, self)) {} }
        ) { completion in
            payload.withUnsafeBytes {
                rados_aio_notify(
                    handle.pointer, object, completion, $0.baseAddress?.assumingMemoryBound(to: CChar.self),
                    CInt($0.count), seconds * 1000, answer.bytes, answer.length)
            }
        }
        guard let code else { throw .timeout(operation, on: subject(object)) }
        // With an answer a time-out is that of single watchers.
        if code != -Int(ETIMEDOUT) || !answer.isFilled { try check(CInt(clamping: code), operation, on: subject(object)) }
        return try answer.outcome(on: subject(object))
    }
}

/// The reply buffer that librados fills in.
private final class NotifyBuffer: @unchecked Sendable {
    let bytes = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 1)
    let length = UnsafeMutablePointer<Int>.allocate(capacity: 1)

    init() {
        bytes.initialize(to: nil)
        length.initialize(to: 0)
    }

    deinit {
        if let buffer = bytes.pointee { rados_buffer_free(buffer) }
        bytes.deallocate()
        length.deallocate()
    }

    var isFilled: Bool { bytes.pointee != nil }

    func outcome(on subject: String) throws(CephError) -> NotifyOutcome {
        guard let buffer = bytes.pointee, length.pointee > 0 else { return NotifyOutcome(replies: [], silent: []) }
        var acks: UnsafeMutablePointer<notify_ack_t>?
        var timeouts: UnsafeMutablePointer<notify_timeout_t>?
        var ackCount = 0
        var timeoutCount = 0
        try check(
            rados_decode_notify_response(buffer, length.pointee, &acks, &ackCount, &timeouts, &timeoutCount),
            "rados_decode_notify_response", on: subject)
        defer { rados_free_notify_response(acks, ackCount, timeouts) }
        return NotifyOutcome(
            replies: UnsafeBufferPointer(start: acks, count: ackCount).map {
                NotifyOutcome.Reply(
                    watcher: $0.notifier_id, cookie: $0.cookie,
                    payload: Array(UnsafeRawBufferPointer(start: $0.payload, count: Int($0.payload_len))))
            },
            silent: UnsafeBufferPointer(start: timeouts, count: timeoutCount).map {
                NotifyOutcome.Silent(watcher: $0.notifier_id, cookie: $0.cookie)
            })
    }
}
