internal import CephCore

/// Shows that the source points a copy reads from are still there.
///
/// Callers that ask while a look is under way share the next one, so that every answer is newer
/// than the question.
public actor SourceProof {
    private let look: @Sendable () async throws -> Void
    private var running: Task<Void, any Error>?
    private var next: Task<Void, any Error>?

    /// - Parameter look: Reads the source's snapshots and throws when one of the points is gone.
    public init(_ look: @escaping @Sendable () async throws -> Void) { self.look = look }

    /// Looks, or waits for a look that begins after this call.
    ///
    /// - Throws: What the look throws: absence is not proved then, and nothing may be removed for it. `CancellationError` at
    ///   once when cancelled.
    public func prove() async throws {
        let mine: Task<Void, any Error>
        if let next {
            mine = next
        } else {
            let before = running
            let look = look
            mine = Task {
                _ = await before?.result
                self.begin()
                try await look()
            }
            next = mine
        }
        try await yieldingToCancellation { try await mine.value }
    }

    private func begin() {
        running = next
        next = nil
    }
}
