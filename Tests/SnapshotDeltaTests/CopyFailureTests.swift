@testable import SnapshotDelta
import Testing

/// What a copy reports when several of its jobs fail, and what it does not wait for.
@Suite(.timeLimit(.minutes(5))) struct CopyFailureTests {
    private struct Failure: Error, Equatable { let number: UInt64 }

    /// Job 0 fails first; the others end when it has.
    private func failure(
        outranks: (any Error, any Error) -> Bool = { _, earlier in earlier is CancellationError },
        _ job: @escaping @Sendable (UInt64) async throws -> Void
    ) async -> (any Error)? {
        do {
            try await CopyPipeline(width: 3).run(0..<3, job, outranks: outranks) { _, _ in }
            return nil
        } catch { return error }
    }

    private func cancelled() async { try? await ContinuousClock().sleep(for: .seconds(60)) }

    @Test func aFailureCountsMoreThanACancellation() async {
        let error = await failure { number in
            if number == 0 { throw CancellationError() }
            await cancelled()
            if number == 2 { throw Failure(number: 2) }
        }
        #expect(error as? Failure == Failure(number: 2))
    }

    @Test func theFirstFailureCountsAmongEquals() async {
        let error = await failure { number in
            if number > 0 { await cancelled() }
            throw Failure(number: number)
        }
        #expect(error as? Failure == Failure(number: 0))
    }

    @Test func whatOutranksTheFirstFailureCounts() async {
        let error = await failure(outranks: { later, _ in later as? Failure == Failure(number: 1) }) { number in
            if number > 0 { await cancelled() }
            throw Failure(number: number)
        }
        #expect(error as? Failure == Failure(number: 1))
    }

    @Test func aCancelledCallerDoesNotWaitForAProof() async throws {
        let (looks, look) = AsyncStream<Void>.makeStream()
        let (end, ending) = AsyncStream<Void>.makeStream()
        let proof = SourceProof {
            look.yield()
            for await _ in end { return }
        }
        let caller = Task { try await proof.prove() }
        for await _ in looks { break }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        ending.finish()
    }
}
