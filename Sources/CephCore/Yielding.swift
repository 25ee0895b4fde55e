/// Runs an operation that a cancelled caller does not wait for.
///
/// For reads from a cluster that may be silent: the operation goes on by itself, with all that it refers to, until its
/// deadline; its result is dropped. Not for changes, whose outcome somebody has to know.
///
/// - Throws: `CancellationError` as soon as the task is cancelled; else what the operation throws.
package func yieldingToCancellation<R: Sendable>(
    _ operation: @escaping @Sendable () async throws -> R
) async throws -> R {
    let outcome = Locked(YieldingState<R>())
    let work = Task {
        let result: Result<R, any Error>
        do { result = .success(try await operation()) } catch { result = .failure(error) }
        outcome.withLock { $0.finish(result) }?.resume(returning: result)
    }
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            let ready = outcome.withLock { $0.wait(continuation) }
            if let ready { continuation.resume(returning: ready) }
        }
    } onCancel: {
        work.cancel()
        let abandoned: Result<R, any Error> = .failure(CancellationError())
        outcome.withLock { $0.finish(abandoned) }?.resume(returning: abandoned)
    }
    return try result.get()
}

private struct YieldingState<R: Sendable>: Sendable {
    typealias Outcome = Result<R, any Error>
    private var result: Outcome?
    private var waiter: CheckedContinuation<Outcome, Never>?

    /// Keeps the first result; returns who waits for it.
    mutating func finish(_ new: Outcome) -> CheckedContinuation<Outcome, Never>? {
        guard result == nil else { return nil }
        result = new
        defer { waiter = nil }
        return waiter
    }

    /// Returns the result if it is there already.
    mutating func wait(_ continuation: CheckedContinuation<Outcome, Never>) -> Outcome? {
        if result == nil { waiter = continuation }
        return result
    }
}
