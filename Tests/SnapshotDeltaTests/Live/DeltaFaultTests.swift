import CephCore
import CephSandbox
import Glibc
import SnapshotDelta
import Synchronization
import TestSupport
import Testing

/// What a delta does when its points go away, its target does not fit, or nobody takes what it has.
@Suite(.timeLimit(.minutes(10))) struct DeltaFaultTests {
    /// An image with data in every object and a snapshot before and after a change of each.
    private func withChangedImage(_ body: (Pool, String) async throws -> Void) async throws {
        try await Live.withImages { pool, name in
            try await pool.createImage(name, size: 24 << 20, .init(features: ImageKind.usual, order: 20))
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write([UInt8](repeating: 1, count: 24 << 20), at: 0)
                try await image.createSnapshot("monday")
                try await image.write([UInt8](repeating: 2, count: 24 << 20), at: 0)
                try await image.createSnapshot("tuesday")
                // Else HEAD's objects would serve the newer snapshot too.
                try await image.write([UInt8](repeating: 3, count: 24 << 20), at: 0)
            }
            try await body(pool, name)
        }
    }

    private func refusal(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch { return error }
    }

    /// Calls something once some bytes have been written.
    private final class Interrupted: ByteOutput {
        let memory = MemoryStream()
        private let limit: Int
        private let once: @Sendable () async throws -> Void
        private let isDone = Mutex(false)

        init(after limit: Int, _ once: @escaping @Sendable () async throws -> Void) {
            self.limit = limit
            self.once = once
        }

        func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
            try await memory.write(buffer, range)
            let isNow = isDone.withLock { isDone in
                guard memory.bytes.count > limit, !isDone else { return false }
                isDone = true
                return true
            }
            if isNow { try await once() }
        }
    }

    @Test(arguments: ["monday", "tuesday"]) func aSnapshotRemovedInTheMiddleIsAnErrorAndNoZeroes(_ removed: String) async throws {
        try await withChangedImage { pool, name in
            let output = Interrupted(after: 3 << 20) {
                try await pool.withImage(name, for: .readWrite) { try await $0.removeSnapshot(removed) }
                // The data is gone once the snapshot is trimmed, which reads show as zeroes.
                try await waitUntil("reads see the removal", within: .seconds(60)) {
                    try await trimmed(pool, name, removed)
                }
            }
            try await pool.withImage(name, at: .snapshot("tuesday")) { image in
                let delta = SnapshotDelta(of: image, since: .snapshot("monday"), limits: .init(objectsInFlight: 2))
                let error = await refusal { try await delta.write(to: output) }
                #expect((error as? DeltaError)?.reason == .pointChanged, "\(String(describing: error))")
            }
            // What came before is right, and the stream is refused as it has no end.
            let reader = DiffReader(MemoryStream(output.memory.bytes))
            _ = try await reader.header()
            let buffer = IOBuffer(capacity: 4 << 20)
            var seen: UInt64 = 0
            let end = await refusal {
                while let change = try await reader.next() {
                    #expect(!change.isHole, "a hole at \(change.range) where there is none")
                    let count = Int(change.range.upperBound - change.range.lowerBound)
                    try await reader.read(into: buffer, 0..<count)
                    #expect(buffer.withBytes { $0.prefix(count).allSatisfy { $0 == 2 } }, "not the data at \(change.range)")
                    seen += UInt64(count)
                }
            }
            #expect((end as? WireError)?.reason == .truncated)
            #expect((2_000_000..<25_000_000).contains(seen))
        }
    }

    /// Whether the OSD has let go of a removed snapshot: no object has it any more.
    private func trimmed(_ pool: Pool, _ name: String, _ removed: String) async throws -> Bool {
        try await pool.withImage(name) { image in
            let info = try await image.info()
            let object = info.dataPrefix + ".0000000000000017"
            let clones = try await Live.sandbox().run("rados", ["-p", "images", "listsnaps", object]).split(separator: "\n").dropFirst(2)
            return clones.count == 2
        }
    }

    @Test func aListThatLosesItsPointEndsWithAnError() async throws {
        try await withChangedImage { pool, name in
            try await pool.withImage(name, at: .snapshot("tuesday")) { image in
                var iterator = SnapshotDelta(of: image, since: .snapshot("monday"), limits: .init(objectsInFlight: 1)).makeAsyncIterator()
                #expect(try await iterator.next() != nil)
                try await pool.withImage(name, for: .readWrite) { try await $0.removeSnapshot("monday") }
                var count = 1
                let error = await refusal { while try await iterator.next() != nil { count += 1 } }
                #expect((error as? DeltaError)?.reason == .pointChanged)
                // What was asked ahead may still come; what is asked after the removal does not.
                #expect(count <= 2)
            }
        }
    }

    @Test func pointsThatAreNotThere() async throws {
        try await withChangedImage { pool, name in
            try await pool.withImage(name, at: .snapshot("monday")) { image in
                let missing = await refusal { _ = try await all(SnapshotDelta(of: image, since: .snapshot("sunday"))) }
                #expect((missing as? DeltaError)?.reason == .pointMissing)
                let reversed = await refusal { _ = try await all(SnapshotDelta(of: image, since: .snapshot("tuesday"))) }
                #expect((reversed as? DeltaError)?.reason == .pointsReversed)
            }
            try await pool.withImage(name) { image in
                let delta = SnapshotDelta(of: image, since: .snapshot("tuesday"))
                // As it was written to again, all of it.
                #expect(try await all(delta).count == 24)
                var iterator = SnapshotDelta(of: image, since: .snapshot("monday"), limits: .init(objectsInFlight: 1)).makeAsyncIterator()
                _ = try await iterator.next()
                try await pool.withImage(name, for: .readWrite) { try await $0.resize(to: 25 << 20) }
                let resized = await refusal { while try await iterator.next() != nil {} }
                #expect((resized as? DeltaError)?.reason == .pointChanged)
            }
        }
    }

    @Test func targetsThatDoNotFit() async throws {
        try await withChangedImage { pool, name in
            let target = name + "-target"
            try await pool.createImage(target, size: 1 << 20)
            let both = try await stream(pool, name, from: "monday", to: "tuesday")
            let start = await refusal { try await apply(both, pool, target) }
            #expect((start as? DeltaError)?.reason == .startMissing)
            let size = try await pool.withImage(target) { try await $0.size() }
            #expect(size == 1_048_576)

            try await apply(try await stream(pool, name, from: nil, to: "monday"), pool, target)
            try await apply(both, pool, target)
            let end = await refusal { try await apply(both, pool, target) }
            #expect((end as? DeltaError)?.reason == .endExists)
            try await pool.withImage(name, at: .snapshot("tuesday")) { image in
                try await pool.withImage(target, for: .readWrite) { target in
                    let copied = await refusal { try await SnapshotDelta(of: image, since: .snapshot("monday")).copy(to: target) }
                    #expect((copied as? DeltaError)?.reason == .endExists)
                }
            }
            // Bytes for a place beyond the end, and a stream that breaks off: typed errors, and no snapshot.
            let beyond = hex("'rbd diff v1' 0a 74 \"x\" 73 0000100000000000 77 ffff0f0000000000 0200000000000000 0000 65")
            #expect((await refusal { try await apply(beyond, pool, target) } as? DeltaError)?.reason == .outOfRange)
            let broken = hex("'rbd diff v1' 0a 74 \"x\" 73 0000100000000000 77 0000000000000000 0000100000000000 0000")
            #expect((await refusal { try await apply(broken, pool, target) } as? WireError)?.reason == .truncated)
            let names = try await pool.withImage(target) { try await $0.snapshots() }.map(\.name)
            #expect(!names.contains("x"))
        }
    }

    /// A stream's later record for the same place counts, however many writes are in flight.
    @Test func whatComesTwiceComesInOrder() async throws {
        try await Live.withImages { pool, name in
            try await pool.createImage(name, size: 1 << 20)
            for _ in 0..<20 {
                var stream = Array("rbd diff v1\n".utf8)
                for value in UInt8(1)...40 {
                    stream += hex("77 0000000000000000 0010000000000000") + [UInt8](repeating: value, count: 4096)
                }
                try await apply(stream + [UInt8(ascii: "e")], pool, name)
                let first = try await pool.withImage(name) { try await $0.read(0..<4096) }
                #expect(first == [UInt8](repeating: 40, count: 4096))
            }
        }
    }

    /// Takes some and then no more.
    private final class Stuck: ByteOutput {
        let begun = AsyncStream<Void>.makeStream()
        func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
            begun.continuation.yield()
            try await ContinuousClock().sleep(for: .seconds(300))
        }
    }

    @Test func aCancelledStreamGivesItsMemoryBack() async throws {
        try await withChangedImage { pool, name in
            let memory = BufferPool(budget: 5 << 20)
            let output = Stuck()
            let writing = Task {
                try await pool.withImage(name, at: .snapshot("tuesday")) { image in
                    _ = try await SnapshotDelta(of: image, since: .snapshot("monday")).write(to: output, memory: memory)
                }
            }
            for await _ in output.begun.stream { break }
            #expect((1...memory.budget).contains(memory.bytesInUse))
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            try await waitUntil("the memory is given back", within: .seconds(30)) { memory.bytesInUse == 0 }
        }
    }

    private final class Told: Sendable {
        private let progress = Mutex(DeltaProgress())
        var last: DeltaProgress { progress.withLock { $0 } }
        func take(_ new: DeltaProgress) { progress.withLock { $0 = new } }
    }

    /// Through a pipe, whose reader is slower than its writer; progress is told on both sides.
    @Test func throughAPipe() async throws {
        try await withChangedImage { pool, name in
            try await pool.createImage(name + "-target", size: 1 << 20)
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let (input, output) = (ends[0], ends[1])
            let told = (written: Told(), applied: Told())
            async let written: Void = pool.withImage(name, at: .snapshot("tuesday")) { image in
                defer { close(output) }
                _ = try await SnapshotDelta(of: image).write(to: DescriptorStream(output)) { progress in
                    told.written.take(progress)
                }
            }
            try await pool.withImage(name + "-target", for: .readWrite) { image in
                defer { close(input) }
                let outcome = try await DiffReader(DescriptorStream(input)).apply(to: image) { progress in
                    told.applied.take(progress)
                }
                #expect(outcome.header.end == "tuesday")
                #expect(outcome.progress.bytesWritten == 25_165_824)
            }
            try await written
            let arrived = try await pool.contents(of: name + "-target", at: "tuesday")
            #expect(arrived == [UInt8](repeating: 2, count: 24 << 20))
            let last = (written: told.written.last, applied: told.applied.last)
            let all: UInt64 = 24 << 20
            #expect(last.written.size == all)
            #expect(last.written.position == all && last.applied.position == all)
            #expect(last.written.bytesRead == all && last.applied.bytesRead == all)
        }
    }
}
