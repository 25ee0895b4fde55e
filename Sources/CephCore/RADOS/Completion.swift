internal import CCeph
internal import Glibc

/// What a completion carries: the call's value and the object's version after it.
struct Completed {
    let value: Int
    let version: UInt64
}

/// Awaits one asynchronous librados call; the continuation itself is the callback's argument.
///
/// `start` gets the completion and returns the call's own value; a negative one means that the
/// callback will never run. An operation in flight always finishes, since C owns its buffers.
@discardableResult
func awaitRADOS(
    _ operation: String, on subject: @autoclosure () -> String,
    _ start: (rados_completion_t) -> CInt
) async throws(CephError) -> Completed {
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
    try check(CInt(clamping: result.value), operation, on: subject())
    return result
}

/// Awaits a librados call that has no deadline of its own (watch, notify and their end).
///
/// When the deadline passes the wait is abandoned with `ETIMEDOUT`, not the call: `tooLate` runs
/// with its result when it ends after all, so that nothing it made is lost.
@discardableResult
func awaitRADOS(
    _ operation: String, on subject: @autoclosure () -> String, within deadline: Duration,
    tooLate: @escaping @Sendable (Int) -> Void = { _ in },
    _ start: (rados_completion_t) -> CInt
) async throws(CephError) -> Int {
    let wait = AbandonableWait(tooLate: tooLate)
    let timer = Task.detached {
        try await Task.sleep(for: deadline)
        wait.abandon()
    }
    let result = await withUnsafeContinuation { (waiter: UnsafeContinuation<Int, Never>) in
        wait.begin(waiter)
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
    timer.cancel()
    return try check(CInt(clamping: result), operation, on: subject())
}

/// A continuation that is resumed once: by the call's end or by its deadline.
final class AbandonableWait: Sendable {
    private enum State {
        case idle, waiting(UnsafeContinuation<Int, Never>), finished, abandoned
    }

    private let state = Locked(State.idle)
    private let tooLate: @Sendable (Int) -> Void

    init(tooLate: @escaping @Sendable (Int) -> Void) { self.tooLate = tooLate }

    func begin(_ waiter: UnsafeContinuation<Int, Never>) {
        state.withLock { $0 = .waiting(waiter) }
    }

    func finish(_ value: Int) {
        let previous = state.withLock { state in
            defer { state = .finished }
            return state
        }
        switch previous {
        case .waiting(let waiter): waiter.resume(returning: value)
        case .abandoned: tooLate(value)
        case .idle, .finished: break
        }
    }

    func abandon() {
        let waiter: UnsafeContinuation<Int, Never>? = state.withLock { state in
            guard case .waiting(let waiter) = state else { return nil }
            state = .abandoned
            return waiter
        }
        waiter?.resume(returning: -Int(ETIMEDOUT))
    }
}
