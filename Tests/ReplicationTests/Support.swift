import Synchronization
import Testing

/// A value shared between tasks of a test.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value { state.withLock { $0 } }
    func update(_ body: (inout Value) -> Void) {
        state.withLock { value in
            var copy = value
            body(&copy)
            value = copy
        }
    }
}

/// Waits until a condition holds; fails after 20 seconds.
func eventually(_ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < end, "condition did not come true in time")
        await Task.yield()
    }
}
