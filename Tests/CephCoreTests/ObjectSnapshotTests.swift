import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ObjectSnapshotTests {
    @Test func snapshotsKeepWhatWasThere() async throws {
        let pool = try await Live.objects()
        try await pool.writeFull(pattern(1, 8192), to: "object")
        let first = try await pool.createSelfManagedSnapshot()
        let second = try await pool.createSelfManagedSnapshot()
        #expect(second > first)

        let writer = try pool.writing(in: SnapshotContext([first]))
        #expect(writer.writeContext.sequence == first && writer.writeContext.ids == [first])
        try await writer.write([9, 9], to: "object", at: 4096)
        let later = try pool.writing(in: SnapshotContext([first, second]))
        #expect(later.writeContext == SnapshotContext([second, first]) && later.writeContext.ids == [second, first])
        try await later.writeFull([7], to: "object")
        try await later.writeFull([1], to: "new")

        let old = try pool.reading(at: first)
        #expect(try await old.read("object", length: 10_000) == pattern(1, 8192))
        #expect(try await pool.reading(at: second).read("object", at: 4096, length: 2) == [9, 9])
        #expect(try await pool.read("object", length: 10) == [7])
        #expect(await failure { _ = try await old.read("new", length: 1) }?.isNotFound == true)
        #expect(await failure { try await old.writeFull([1], to: "object") }?.code == EROFS)
        #expect(try old.reading(at: nil).readSnapshot == nil)

        try await pool.removeSelfManagedSnapshot(first)
        try await pool.removeSelfManagedSnapshot(second)
    }

    @Test(.enabled(if: Pool.usesNative)) func listsAnObjectsRevisions() async throws {
        let pool = try await Live.objects()
        try await pool.writeFull(pattern(1, 8192), to: "object")
        #expect(try await pool.snapshotSet(of: "object").clones.map(\.id) == [0xffff_ffff_ffff_fffe])
        let first = try await pool.createSelfManagedSnapshot()
        try await pool.writing(in: SnapshotContext([first])).write([1, 2], to: "object", at: 4096)
        let second = try await pool.createSelfManagedSnapshot()
        try await pool.writing(in: SnapshotContext([first, second])).remove("object")

        let set = try await pool.snapshotSet(of: "object")
        #expect(set.sequence == second)
        #expect(set.clones.map(\.snapshots) == [[first], [second]])
        #expect(set.clones.map(\.size) == [8192, 8192])
        #expect(set.clones[0].overlap == [0..<4096, 4098..<8192])
        #expect(await failure { _ = try await pool.snapshotSet(of: "none") }?.isNotFound == true)
        for id in [first, second] { try await pool.removeSelfManagedSnapshot(id) }
    }

    @Test(.enabled(if: !Pool.usesNative)) func saysThatRevisionsCannotBeListed() async throws {
        let pool = try await Live.objects()
        #expect(await failure { _ = try await pool.snapshotSet(of: "object") }?.code == EOPNOTSUPP)
        #expect(await failure { _ = try await pool.watchers(of: "object") }?.code == EOPNOTSUPP)
    }

    /// With and without librados.hpp.
    @Test func copiesDataBetweenObjects() async throws {
        let pool = try await Live.objects()
        let data = pattern(3, 100_000)
        try await pool.writeFull(data, to: "source")
        let read = try await pool.data(of: "source", in: [0..<4096, 50_000..<60_000, 99_000..<200_000, 300_000..<300_001])
        #expect(read.count == 4096 + 10_000 + 1_000)
        #expect(read.withPiece(1) { Array($0) } == Array(data[50_000..<60_000]))
        #expect(read.withPiece(2) { $0.count } == 1_000)
        #expect(read.withPiece(3) { $0.isEmpty })

        var update = ObjectUpdate()
        #expect(update.isEmpty)
        update.setAllocationHint(objectSize: 1 << 22, writeSize: 1 << 22)
        update.ensureExists()
        update.write(read, piece: 0, 0..<4096, at: 0)
        update.write(read, piece: 1, 1000..<2000, at: 8192)
        update.zero(10..<20)
        try await pool.apply(update, to: "target")
        var expected = Array(data[..<4096])
        expected.replaceSubrange(10..<20, with: [UInt8](repeating: 0, count: 10))
        #expect(try await pool.read("target", length: 4096) == expected)
        #expect(try await pool.read("target", at: 8192, length: 5000) == Array(data[51_000..<52_000]))

        update = ObjectUpdate()
        update.truncate(to: 100)
        try await pool.apply(update, to: "target")
        #expect(try await pool.stat("target").size == 100)
        update = ObjectUpdate()
        update.remove()
        try await pool.apply(update, to: "target")
        let gone = update
        #expect(await failure { try await pool.apply(gone, to: "target") }?.isNotFound == true)
        #expect(await failure { _ = try await pool.data(of: "target", in: [0..<1]) }?.isNotFound == true)
    }

    /// One piece of data is looked at and written on from many tasks.
    @Test func dataIsSharedBetweenTasks() async throws {
        let pool = try await Live.objects()
        let bytes = pattern(4, 1 << 20)
        try await pool.writeFull(bytes, to: "source")
        let data = try await pool.data(of: "source", in: [0..<1 << 20])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<32 {
                group.addTask {
                    var update = ObjectUpdate()
                    update.write(data, piece: 0, number * 1024..<1 << 20, at: 0)
                    try await pool.apply(update, to: "target-\(number)")
                    #expect(data.withPiece(0) { Array($0.suffix(16)) } == Array(bytes.suffix(16)))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await pool.read("target-31", length: 1 << 20) == Array(bytes[31 * 1024..<1 << 20]))
    }
}
