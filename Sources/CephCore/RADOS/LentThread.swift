internal import Glibc

/// Runs calls that block and have no asynchronous form, each on a thread of its own.
///
/// Such calls are rare (connecting, monitor commands, administration of images). A call that is stuck costs its
/// thread, not the caller: the caller gets its deadline. The number of threads is limited.
enum LentThread {
    static let limit = 128
    private static let inUse = Locked(0)

    /// Runs `body` on its own thread and awaits its value.
    ///
    /// - Parameters:
    ///   - gate: Of the handle that `body` uses; the handle is not ended before `body` is.
    ///   - deadline: The longest time, or the longest time without a mark when `body` marks its progress.
    ///   - yieldsToCancellation: Whether the end of the task ends the wait too, with `ECANCELED`.
    ///   - tooLate: Gets a value that came after the wait had ended, on the lent thread.
    /// - Throws: `ETIMEDOUT` after `deadline`, while the call itself goes on; `EAGAIN` when
    ///   too many calls are stuck.
    @discardableResult
    static func run<T: Sendable>(
        _ operation: String, on subject: @autoclosure () -> String, in gate: CallGate?, within deadline: Duration?,
        yieldsToCancellation: Bool = false, tooLate: @escaping @Sendable (T) -> Void = { _ in },
        marking body: @escaping @Sendable (AbandonableWait) throws(CephError) -> T
    ) async throws(CephError) -> T {
        try gate?.enter(operation, on: subject())
        guard admit() else {
            gate?.leave()
            throw CephError(code: EAGAIN, operation: operation, subject: subject())
        }
        let outcome = Locked<Result<T, CephError>?>(nil)
        let wait = AbandonableWait(tooLate: { _ in
            if case .success(let value) = outcome.withLock({ $0 }) { tooLate(value) }
        })
        let end = { @Sendable (code: Int) in
            wait.finish(code)
            inUse.withLock { $0 -= 1 }
            gate?.leave()
        }
        let code = await wait.run(within: deadline, yieldsToCancellation: yieldsToCancellation) {
            let refused = start {
                do throws(CephError) {
                    let value = try body(wait)
                    outcome.withLock { $0 = .success(value) }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
                end(0)
            }
            if refused != 0 { end(-Int(refused)) }
        }
        guard let code else {
            if yieldsToCancellation && Task.isCancelled { throw CephError(code: ECANCELED, operation: operation, subject: subject()) }
            throw .timeout(operation, on: subject())
        }
        try check(CInt(code), operation, on: subject())
        return try outcome.withLock { $0! }.get()
    }

    /// Runs `body` on its own thread and awaits its value.
    @discardableResult
    static func run<T: Sendable>(
        _ operation: String, on subject: @autoclosure () -> String, in gate: CallGate?, within deadline: Duration?,
        yieldsToCancellation: Bool = false, tooLate: @escaping @Sendable (T) -> Void = { _ in },
        _ body: @escaping @Sendable () throws(CephError) -> T
    ) async throws(CephError) -> T {
        try await run(
            operation, on: subject(), in: gate, within: deadline, yieldsToCancellation: yieldsToCancellation, tooLate: tooLate
        ) { (_) throws(CephError) in try body() }
    }

    /// Runs `body` on its own thread, whatever the limit; on this one where no thread can be had.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        if start(body) != 0 { body() }
    }

    private static func admit() -> Bool {
        inUse.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    private final class Job {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread; returns an errno when there can be none.
    private static func start(_ body: @escaping @Sendable () -> Void) -> CInt {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1024 * 1024)
        let job = Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        let error = pthread_create(&thread, &attributes, { argument in
            Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, job.toOpaque())
        if error != 0 { job.release() }
        return error
    }
}
