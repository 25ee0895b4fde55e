internal import Glibc

/// Runs calls that block and have no asynchronous form, each on a thread of its own.
///
/// Such calls are rare (connecting, monitor commands, closing). A call that is stuck costs its
/// thread, not the caller: the caller gets its deadline. The number of threads is limited.
enum LentThread {
    static let limit = 128
    private static let inUse = Locked(0)

    /// Runs `body` on its own thread and awaits its value.
    ///
    /// - Throws: `ETIMEDOUT` after `deadline`, while the call itself goes on; `EAGAIN` when
    ///   too many calls are stuck.
    @discardableResult
    static func run<T: Sendable>(
        _ operation: String, on subject: @autoclosure () -> String = "", within deadline: Duration? = nil,
        _ body: @escaping @Sendable () throws(CephError) -> T
    ) async throws(CephError) -> T {
        let admitted = inUse.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard admitted else { throw CephError(code: EAGAIN, operation: operation, subject: subject()) }
        let outcome = Locked<Result<T, CephError>?>(nil)
        let wait = AbandonableWait(tooLate: { _ in })
        let timer = deadline.map { deadline in
            Task.detached {
                try await Task.sleep(for: deadline)
                wait.abandon()
            }
        }
        let code = await withUnsafeContinuation { (waiter: UnsafeContinuation<Int, Never>) in
            wait.begin(waiter)
            start {
                do throws(CephError) {
                    let value = try body()
                    outcome.withLock { $0 = .success(value) }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
                inUse.withLock { $0 -= 1 }
                wait.finish(0)
            } refused: { error in
                inUse.withLock { $0 -= 1 }
                wait.finish(-Int(error))
            }
        }
        timer?.cancel()
        try check(CInt(code), operation, on: subject())
        return try outcome.withLock { $0! }.get()
    }

    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping @Sendable () -> Void, refused: (CInt) -> Void) {
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
        if error != 0 {
            job.release()
            refused(error)
        }
    }
}
