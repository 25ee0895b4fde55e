internal import Synchronization

/// A wait was given up; the work itself may still be running, and may still take effect.
public struct DeadlineExceeded: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was waited for.
    public let operation: String
    /// How long was waited.
    public let limit: Duration

    public init(operation: String, limit: Duration) {
        self.operation = operation
        self.limit = limit
    }

    public var description: String { "\(operation): no answer within \(limit)" }
}

/// Waits for an operation at most so long.
///
/// At the deadline, and when the calling task is cancelled, the *wait* is abandoned: the operation
/// is cancelled but not awaited, so a call that ignores cancellation cannot hold its caller up.
/// Whatever it does afterwards is lost.
///
/// - Throws: ``DeadlineExceeded``, `CancellationError`, or what the operation throws.
public func withDeadline<R: Sendable>(
    _ limit: Duration, for name: String = "operation", operation: @escaping @Sendable () async throws -> R
) async throws -> R {
    let race = Race<R>()
    let work = Task {
        do {
            race.finish(.success(try await operation()))
        } catch {
            race.finish(.failure(error))
        }
    }
    let timer = Task {
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        race.finish(.failure(DeadlineExceeded(operation: name, limit: limit)))
    }
    defer {
        timer.cancel()
        work.cancel()
    }
    return try await withTaskCancellationHandler {
        try await race.result()
    } onCancel: {
        race.finish(.failure(CancellationError()))
    }
}

/// The first result counts.
private final class Race<R: Sendable>: Sendable {
    private struct State {
        var result: Result<R, any Error>?
        var waiter: CheckedContinuation<R, any Error>?
    }

    private let state = Mutex(State())

    func finish(_ result: Result<R, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<R, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }

    func result() async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let ready = state.withLock { state -> Result<R, any Error>? in
                if let result = state.result { return result }
                state.waiter = continuation
                return nil
            }
            if let ready { continuation.resume(with: ready) }
        }
    }
}
