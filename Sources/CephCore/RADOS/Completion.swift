internal import CCeph
internal import Glibc

/// What a completion carries: the call's value and the object's version after it.
struct Completed {
    let value: Int
    let version: UInt64
}

extension Cluster {
    /// Awaits one asynchronous librados call that librados itself ends within the object deadline.
    ///
    /// The continuation itself is the callback's argument. `start` gets the completion and returns the call's own value; a
    /// negative one means that the callback will never run. An operation in flight always finishes, since C owns its buffers.
    @discardableResult
    func completion(
        of operation: String, on subject: @autoclosure () -> String, _ start: (rados_completion_t) -> CInt
    ) async throws(CephError) -> Completed {
        try gate.enter(operation, on: subject())
        let result = await withUnsafeContinuation { (waiter: UnsafeContinuation<Completed, Never>) in
            var completion: rados_completion_t?
            rados_aio_create_completion2(unsafeBitCast(waiter, to: UnsafeMutableRawPointer.self), { completion, argument in
                let value = Int(rados_aio_get_return_value(completion))
                let version = rados_aio_get_version(completion)
                rados_aio_release(completion)
                unsafeBitCast(argument, to: UnsafeContinuation<Completed, Never>.self)
                    .resume(returning: Completed(value: value, version: version))
            }, &completion)
            let refused = start(completion!)
            if refused < 0 {
                rados_aio_release(completion)
                waiter.resume(returning: Completed(value: Int(refused), version: 0))
            }
        }
        gate.leave()
        try check(CInt(clamping: result.value), operation, on: subject())
        return result
    }

    /// Awaits a librados call that has no deadline of its own: making a watch, notifying.
    ///
    /// Such a call does not keep the connection from being ended; librados drops it then.
    /// - Parameters:
    ///   - tooLate: Gets the call's value when it ends after its deadline.
    /// - Returns: The call's value, nil when it was abandoned.
    func lingeringCompletion(
        of operation: String, on subject: @autoclosure () -> String, within deadline: Duration,
        yieldsToCancellation: Bool = false, tooLate: @escaping @Sendable (Int) -> Void,
        _ start: (rados_completion_t) -> CInt
    ) async throws(CephError) -> Int? {
        try gate.enter(operation, on: subject())
        defer { gate.leave() }
        let wait = AbandonableWait(tooLate: tooLate)
        return await wait.run(within: deadline, yieldsToCancellation: yieldsToCancellation) {
            let argument = Unmanaged.passRetained(wait).toOpaque()
            var completion: rados_completion_t?
            rados_aio_create_completion2(argument, { completion, argument in
                let value = Int(rados_aio_get_return_value(completion))
                rados_aio_release(completion)
                Unmanaged<AbandonableWait>.fromOpaque(argument!).takeRetainedValue().finish(value)
            }, &completion)
            let refused = start(completion!)
            if refused < 0 {
                rados_aio_release(completion)
                Unmanaged<AbandonableWait>.fromOpaque(argument).takeRetainedValue().finish(Int(refused))
            }
        }
    }

    /// Makes a call that does not block.
    @discardableResult
    func call(
        _ operation: String, on subject: @autoclosure () -> String, _ body: () throws(CephError) -> CInt
    ) throws(CephError) -> Int {
        try gate.enter(operation, on: subject())
        defer { gate.leave() }
        return try check(try body(), operation, on: subject())
    }
}

extension CephError {
    /// No answer within the deadline.
    static func timeout(_ operation: String, on subject: String) -> CephError {
        CephError(code: ETIMEDOUT, operation: operation, subject: subject)
    }
}
