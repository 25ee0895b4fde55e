import CephCore
import CephSandbox
import Testing

@Suite(.timeLimit(.minutes(5))) struct ImageChangesTests {
    @Test func findsWhatChangedSinceASnapshot() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(pattern(1, 4 << 20), at: 0)
                try await image.createSnapshot("base")
                try await image.write(pattern(2, 4096), at: 65536)
                try await image.discard(4 << 20..<8 << 20)
                try await image.write(pattern(3, 8192), at: 12 << 20)
                let exact = try await all(image.changes(since: "base"))
                #expect(exact == [
                    .init(range: 65536..<69632, exists: true),
                    .init(range: 12 << 20..<(12 << 20) + 8192, exists: true),
                ])
                let objects = try await all(image.changes(since: "base", wholeObjects: true))
                #expect(objects.map(\.range) == [0..<4 << 20, 12 << 20..<16 << 20])
                let part = try await all(image.changes(since: "base", in: 0..<8 << 20))
                #expect(part == [.init(range: 65536..<69632, exists: true)])

                try await image.createSnapshot("second")
                try await image.discard(12 << 20..<16 << 20)
                let hole = try await all(image.changes(since: "second"))
                #expect(hole.count == 1 && hole.first?.exists == false)
                #expect(hole.first?.range.lowerBound == 12 << 20)
                #expect(await failure { _ = try await all(image.changes(since: "none")) }?.isNotFound == true)
            }
        }
    }

    @Test func listsEverythingThereIsWithoutABase() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                #expect(try await all(image.changes()).isEmpty)
                try await image.write(pattern(1, 4096), at: 8 << 20)
                let found = try await all(image.changes())
                #expect(found == [.init(range: 8 << 20..<(8 << 20) + 4096, exists: true)])
            }
        }
    }

    /// More extents since the snapshot `base` than are ever held at once.
    private func writeManyExtents(_ image: Image) async throws {
        // Objects that were there before: of a new one only the whole is known.
        for end in stride(from: UInt64(4 << 20), through: 64 << 20, by: 4 << 20) { try await image.write([1], at: end - 1) }
        try await image.createSnapshot("base")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask {
                    for number in stride(from: lane, to: 6000, by: 16) {
                        try await image.write([UInt8](repeating: 1, count: 512), at: UInt64(number) * 8192)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aSlowReaderGetsAllAndALostOneEndsTheSearch() async throws {
        try await withScratchImage(size: 64 << 20, .init(features: [.layering, .exclusiveLock])) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await writeManyExtents(image)
                var last: UInt64 = 0
                var count = 0
                for try await extent in image.changes(since: "base") {
                    #expect(extent.range.lowerBound >= last)
                    last = extent.range.upperBound
                    count += 1
                    if count % 1000 == 0 { await Task.yield() }
                }
                #expect(count == 6000)

                var iterator: Image.Changes.Iterator? = image.changes(since: "base").makeAsyncIterator()
                #expect(try await iterator?.next() != nil)
                // The search waits for room now. Without its reader it ends, or closing would wait for ever.
                iterator = nil
            }
        }
    }

    @Test func aCancelledReaderGetsAnErrorInsteadOfAPart() async throws {
        try await withScratchImage(size: 64 << 20, .init(features: [.layering, .exclusiveLock])) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await writeManyExtents(image)
                let reading = Task {
                    var count = 0
                    for try await _ in image.changes(since: "base") {
                        count += 1
                        if count == 10 { withUnsafeCurrentTask { $0?.cancel() } }
                    }
                    return count
                }
                await #expect(throws: CancellationError.self) { try await reading.value }
            }
        }
    }
}

private func all(_ changes: Image.Changes) async throws -> [Image.Extent] {
    var extents: [Image.Extent] = []
    for try await extent in changes { extents.append(extent) }
    return extents
}
