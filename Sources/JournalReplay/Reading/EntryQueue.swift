internal import CephCore
internal import Replication

/// Entries between the one who reads them and the one who applies them: as many as fit.
package final class EntryQueue: Sendable {
    private struct State {
        var entries: [JournalEntry] = []
        var bytes = 0
        var failure: (any Error)?
    }

    private let limit: Int
    private let state = Locked(State())
    private let arrived = WakeSignal()
    private let taken = WakeSignal()

    /// - Parameter limit: Bytes of payload, about.
    package init(limit: Int) { self.limit = limit }

    package var isEmpty: Bool { state.withLock { $0.entries.isEmpty } }

    /// Adds an entry; waits while there is no room.
    package func put(_ entry: JournalEntry) async throws {
        while state.withLock({ $0.bytes >= limit }) { _ = try await taken.wait() }
        state.withLock {
            $0.entries.append(entry)
            $0.bytes += entry.payload.count
        }
        arrived.signal()
    }

    /// Nothing more comes: after what is there this is thrown.
    package func fail(_ error: any Error) {
        state.withLock { $0.failure = error }
        arrived.signal()
    }

    /// Takes all that is there; waits while that is nothing, until a moment: then it takes nothing.
    package func take(until deadline: ContinuousClock.Instant? = nil) async throws -> [JournalEntry] {
        while true {
            let entries = try state.withLock { state -> Result<[JournalEntry], any Error> in
                if state.entries.isEmpty, let failure = state.failure { return .failure(failure) }
                defer { (state.entries, state.bytes) = ([], 0) }
                return .success(state.entries)
            }.get()
            if !entries.isEmpty {
                taken.signal()
                return entries
            }
            if try await arrived.wait(until: deadline) == .timedOut { return [] }
        }
    }
}
