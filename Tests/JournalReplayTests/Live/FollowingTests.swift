import CephCore
import CephSandbox
import JournalReplay
import Synchronization
import TestSupport
import Testing

/// Reading a journal while it is written.
@Suite(.serialized, .timeLimit(.minutes(10))) struct FollowingTests {
    /// Through object sets, tags, and writers that are killed; then one write, as soon as it is there.
    @Test func everythingComes() async throws {
        let image = try await JournaledImage("follow", objectSize: 16 << 10, width: 3)
        let follower = Follower(image.journal)
        for round in 0..<2 {
            try await image.write { handle in
                for step in 0..<60 {
                    try await handle.write([UInt8](repeating: UInt8(step), count: 900), at: UInt64(step) << 14)
                    if step % 20 == 0 { try await handle.createSnapshot("s\(round)-\(step)") }
                }
            }
            try await image.writeAndDie(size: 3000)
        }
        var all: [JournalEntry] = []
        for try await entry in image.journal.entries() { all.append(entry) }
        try await follower.waitFor(all.count)
        #expect(follower.seen == all)

        try await image.write { handle in
            try await handle.write([1], at: 0)
            try await handle.flush()
            try await follower.waitFor { if case .flush = $0.event { true } else { false } }
            for _ in 0..<3 {
                let start = ContinuousClock.now
                try await handle.write([7, 7, 7], at: 4096)
                let written = ContinuousClock.now
                try await follower.waitFor { if case .write(let write) = $0.event { write.data == [7, 7, 7] } else { false } }
                print("seen \(written.duration(to: .now)) after the write, which took \(start.duration(to: written))")
                follower.forget()
            }
        }
        await follower.end()
    }

    /// A journal that is removed ends the reading, and so does a cancellation, at once.
    @Test func ends() async throws {
        let image = try await JournaledImage("ends")
        let follower = Follower(image.journal)
        try await image.write { try await $0.write([1], at: 0) }
        try await follower.waitFor(1)
        let start = ContinuousClock.now
        await follower.end()
        #expect(start.duration(to: .now) < .seconds(2))

        let other = Follower(image.journal)
        try await other.waitFor(1)
        try await image.pool.withImage(image.name, for: .readWrite) { try await $0.updateFeatures(.journaling, enabled: false) }
        try await waitUntil("the reading has ended", within: .seconds(20)) { other.failure?.isNotFound == true }
    }
}

/// Follows a journal and keeps what it sees.
private final class Follower: Sendable {
    private let entries = Mutex<[JournalEntry]>([])
    private let error = Mutex<(any Error)?>(nil)
    private let work = Mutex<Task<Void, Never>?>(nil)

    init(_ journal: Journal) {
        let task = Task {
            do {
                for try await entry in journal.follow() { entries.withLock { $0.append(entry) } }
            } catch { self.error.withLock { $0 = error } }
        }
        work.withLock { $0 = task }
    }

    var seen: [JournalEntry] { entries.withLock { $0 } }
    var failure: CephError? { error.withLock { $0 as? CephError } }
    func forget() { entries.withLock { $0 = [] } }

    func waitFor(_ count: Int) async throws {
        try await waitUntil("\(count) entries are seen", within: .seconds(20), every: .milliseconds(5)) { seen.count >= count }
    }

    func waitFor(_ isIt: (JournalEntry) -> Bool) async throws {
        try await waitUntil("an entry is seen", within: .seconds(10), every: .milliseconds(2)) { seen.contains(where: isIt) }
    }

    func end() async {
        let task = work.withLock { $0 }
        task?.cancel()
        await task?.value
    }
}
