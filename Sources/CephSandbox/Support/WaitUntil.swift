/// Waits until a condition holds, and throws if it does not in time.
///
/// The condition is looked at once at least, then again after every pause. An error it throws ends the wait.
///
///     try await waitUntil("the image is listed") { try await cluster.rbd("ls", "rbd").contains("vm") }
///
/// - Parameters:
///   - what: What is waited for, as it is to read in the error.
///   - limit: The longest wait; a look that is under way then is still finished.
///   - pause: The time between the first two looks; it grows by a fifth each time, up to ten times as long or half a second.
nonisolated(nonsending)
public func waitUntil(
    _ what: String, within limit: Duration = .seconds(30), every pause: Duration = .milliseconds(50),
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    let longest = max(pause, min(pause * 10, .milliseconds(500)))
    var pause = pause
    while try await !condition() {
        guard clock.now < deadline else {
            throw SandboxError(.deadlineExceeded, "Waited \(limit) in vain until \(what).")
        }
        try await clock.sleep(for: pause)
        pause = min(pause * 1.2, longest)
    }
}
