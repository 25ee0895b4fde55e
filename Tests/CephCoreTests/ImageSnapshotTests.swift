import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ImageSnapshotTests {
    @Test func createsListsRenamesAndRemoves() async throws {
        try await withScratchImage(size: 8 << 20) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.createSnapshot("one")
                try await image.resize(to: 12 << 20)
                try await image.createSnapshot("two", .skipQuiesce)
                let snapshots = try await image.snapshots()
                #expect(snapshots.map(\.name) == ["one", "two"])
                #expect(snapshots.map(\.size) == [8 << 20, 12 << 20])
                #expect(snapshots.allSatisfy { $0.kind == .user && $0.mirror == nil })
                #expect(snapshots[0].id < snapshots[1].id)
                #expect(await failure { try await image.createSnapshot("one") }?.alreadyExists == true)

                try await image.renameSnapshot("one", to: "first")
                #expect(try await image.snapshots().map(\.name) == ["first", "two"])
                let time = try await image.snapshotTime(id: snapshots[0].id)
                #expect(abs((time - now()) / .seconds(1)) < 600)

                try await image.removeSnapshot("first")
                #expect(await failure { try await image.removeSnapshot("first") }?.isNotFound == true)
                try await image.removeSnapshot(id: snapshots[1].id)
                #expect(try await image.snapshots().isEmpty)
            }
        }
    }

    @Test func listsMoreThanTheFirstGuess() async throws {
        try await withScratchImage(size: 1 << 20) { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                let names = (0..<20).map { "snapshot-\($0)" }
                for name in names { try await image.createSnapshot(name) }
                #expect(try await image.snapshots().map(\.name) == names)
            }
        }
    }

    @Test func protects() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.createSnapshot("kept")
                #expect(try await !image.isSnapshotProtected("kept"))
                try await image.protectSnapshot("kept")
                #expect(try await image.isSnapshotProtected("kept"))
                #expect(await failure { try await image.protectSnapshot("kept") }?.isBusy == true)
                #expect(await failure { try await image.removeSnapshot("kept") }?.isBusy == true)
                try await image.unprotectSnapshot("kept")
                #expect(await failure { try await image.unprotectSnapshot("kept") }?.code == EINVAL)
                #expect(await failure { _ = try await image.isSnapshotProtected("none") }?.isNotFound == true)
            }
        }
    }

    @Test func limits() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                #expect(try await image.snapshotLimit() == nil)
                try await image.setSnapshotLimit(1)
                #expect(try await image.snapshotLimit() == 1)
                try await image.createSnapshot("one")
                let error = await failure { try await image.createSnapshot("two") }
                #expect(error?.code == EDQUOT)
                #expect(error?.isOutOfSpace == true)
                try await image.setSnapshotLimit(nil)
                #expect(try await image.snapshotLimit() == nil)
                try await image.createSnapshot("two")
            }
        }
    }

    @Test func readsAtASnapshotByNameAndByID() async throws {
        try await withScratchImage { pool, name in
            let old = pattern(1, 4096)
            var id: UInt64 = 0
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(old, at: 0)
                try await image.createSnapshot("old")
                id = try await image.snapshots()[0].id
                try await image.write(pattern(2, 4096), at: 0)
                try await image.resize(to: 32 << 20)
            }
            for point in [Image.SnapshotReference.snapshot("old"), .snapshotID(id)] {
                try await pool.withImage(name, at: point) { image in
                    #expect(try await image.read(0..<4096) == old)
                    let size = try await image.size()
                    #expect(size == 16 << 20)
                }
            }
            try await pool.withImage(name, at: .snapshot("old"), for: .readWrite) { image in
                #expect(await failure { try await image.write([1], at: 0) }?.code == EROFS)
                #expect(image.spec == "images/\(name)@old")
                try await image.flush()
            }
            #expect(await failure { _ = try await pool.openImage(name, at: .snapshot("none")) }?.isNotFound == true)
            let error = await failure { _ = try await pool.openImage(name, at: .snapshotID(id + 1000)) }
            #expect(error?.isNotFound == true)
            #expect(error?.operation == "rbd_snap_set_by_id")
        }
    }

    @Test func rollsBackWithProgress() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write(pattern(1, 16 << 20), at: 0)
                try await image.createSnapshot("before")
                try await image.write([UInt8](repeating: 9, count: 4096), at: 4 << 20)
                let seen = Counter()
                try await image.rollBack(toSnapshot: "before") { done, total in
                    if done <= total { seen.add() }
                }
                #expect(seen.value > 0)
                #expect(try await image.read(4 << 20..<(4 << 20) + 4096) == Array(pattern(1, 16 << 20)[4 << 20..<(4 << 20) + 4096]))
            }
        }
    }

    @Test func showsGroupAndTrashSnapshots() async throws {
        let sandbox = try await Live.sandbox()
        try await withScratchImage { pool, name in
            let group = unique("group")
            try await sandbox.rbd("group", "create", "images/\(group)")
            try await sandbox.rbd("group", "image", "add", "images/\(group)", "images/\(name)")
            try await sandbox.rbd("group", "snap", "create", "images/\(group)@weekly")
            try await pool.withImage(name) { image in
                let kinds = try await image.snapshots().map(\.kind)
                #expect(kinds == [.group(pool: pool.id, group: group, snapshot: "weekly")])
            }
            try await sandbox.rbd("group", "rm", "images/\(group)")

            // A clone of format 2 keeps its parent's snapshot as trash.
            let clone = unique("clone")
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.createSnapshot("base")
                try await pool.cloneImage(name, at: "base", to: clone, .init(cloneFormat: 2))
                try await image.removeSnapshot("base")
                #expect(try await image.snapshots().map(\.kind) == [.trash(originalName: "base")])
            }
            try await pool.removeImage(clone)
        }
    }

    @Test func aReadOnlyImageShowsWhatItWasOpenedWith() async throws {
        try await withScratchImage { pool, name in
            let reader = try await pool.openImage(name)
            try await pool.withImage(name, for: .readWrite) { try await $0.createSnapshot("later") }
            #expect(try await reader.snapshots().isEmpty)
            try await reader.close()
            try await pool.withImage(name) { image in
                let names = try await image.snapshots().map(\.name)
                #expect(names == ["later"])
            }
        }
    }
}
