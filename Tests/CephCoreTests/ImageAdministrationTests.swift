import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ImageAdministrationTests {
    @Test func createsListsRenamesAndRemovesImages() async throws {
        let pool = try await Live.images().inNamespace(unique("ns"))
        try await Live.images().createImageNamespace(pool.namespace)
        #expect(try await Live.images().imageNamespaces().contains(pool.namespace))
        #expect(try await pool.images().isEmpty)
        for number in 0..<70 { try await pool.createImage("image-\(number)", size: 1 << 20, .init(features: .layering)) }
        #expect(Set(try await pool.images().map(\.name)) == Set((0..<70).map { "image-\($0)" }))
        #expect(await failure { try await pool.createImage("image-1", size: 1 << 20) }?.alreadyExists == true)
        #expect(await failure { try await Live.images().removeImageNamespace(pool.namespace) }?.isBusy == true)

        try await pool.renameImage("image-0", to: "renamed")
        #expect(await failure { try await pool.renameImage("image-2", to: "renamed") }?.alreadyExists == true)
        #expect(try await pool.images().contains { $0.name == "renamed" })
        let seen = Counter()
        try await pool.removeImage("renamed") { _, _ in seen.add() }
        #expect(seen.value > 0)
        for number in 1..<70 { try await pool.removeImage("image-\(number)") }
        #expect(try await pool.images().isEmpty)
        try await Live.images().removeImageNamespace(pool.namespace)
        #expect(try await !Live.images().imageNamespaces().contains(pool.namespace))
    }

    @Test func refusesOptionsThatMakeNoSense() async throws {
        let pool = try await Live.images()
        #expect(await failure { try await pool.createImage(unique("x"), size: 1, .init(order: 40)) }?.code == EDOM)
        #expect(await failure { try await pool.createImage(unique("x"), size: 1, .init(dataPool: "nowhere")) }?.isNotFound == true)
        #expect(await failure { try await pool.createImage(unique("x"), size: 1, .init(stripeUnit: 3, stripeCount: 1)) }?.code == EINVAL)
    }

    @Test func refusesToRemoveWhatIsInUse() async throws {
        try await withScratchImage { pool, name in
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.write([1], at: 0)
                #expect(await failure { try await pool.removeImage(name) }?.isBusy == true)
                try await image.createSnapshot("kept")
            }
            #expect(await failure { try await pool.removeImage(name) }?.code == ENOTEMPTY)
        }
    }

    @Test func movesThroughTheTrash() async throws {
        let pool = try await Live.images()
        let name = unique("image")
        try await pool.createImage(name, size: 1 << 20)
        let id = try #require(try await pool.images().first { $0.name == name }?.id)
        try await pool.moveImageToTrash(name, delay: .seconds(3600))
        #expect(try await !pool.images().contains { $0.name == name })
        let entry = try #require(try await pool.trashedImages().first { $0.id == id })
        #expect(entry.name == name && entry.source == .user)
        #expect(entry.deferredUntil - entry.deleted == .seconds(3600))
        #expect(await failure { try await pool.removeImageFromTrash(id: id) }?.isPermissionDenied == true)
        try await pool.restoreImageFromTrash(id: id, as: "\(name)-again")
        #expect(try await pool.images().contains { $0.name == "\(name)-again" && $0.id == id })
        try await pool.moveImageToTrash("\(name)-again")
        try await pool.removeImageFromTrash(id: id, force: true)
        #expect(try await !pool.trashedImages().contains { $0.id == id })
        #expect(await failure { try await pool.restoreImageFromTrash(id: id, as: name) }?.isNotFound == true)
    }

    @Test func locksAgainstOtherClients() async throws {
        let other = try await Live.connect()
        try await withScratchImage { pool, name in
            let first = try await pool.openImage(name, for: .readWrite)
            let second = try await Live.images(of: other).openImage(name, for: .readWrite)
            #expect(try await first.lockOwners().owners.isEmpty)
            #expect(try await !first.isLockOwner())
            try await first.acquireLock()
            #expect(try await first.isLockOwner())
            let owners = try await second.lockOwners()
            #expect(owners.mode == .exclusive && owners.owners.count == 1)
            #expect(await failure { try await second.acquireLock() }?.code == EROFS)
            #expect(await failure { try await second.write([1], at: 0) }?.code == EROFS)

            let watchers = try await first.watchers()
            #expect(Set(watchers.map(\.client)) == [pool.cluster.globalID, other.globalID])
            try await first.releaseLock()
            try await second.acquireLock()
            #expect(try await second.isLockOwner())
            try await second.close()
            try await first.close()
        }
        await other.shutdown()
    }

    @Test func breaksTheLockOfALostClient() async throws {
        let lost = try await Live.connect()
        try await withScratchImage { pool, name in
            let theirs = try await Live.images(of: lost).openImage(name, for: .readWrite)
            try await theirs.acquireLock()
            let ours = try await pool.openImage(name, for: .readWrite)
            let owner = try #require(try await ours.lockOwners().owners.first)
            #expect(await failure { try await ours.breakLock(of: "nobody") }?.isBusy == true)
            try await ours.breakLock(of: owner)
            try await ours.write([1], at: 0)
            #expect(await failure { try await theirs.write([2], at: 0) } != nil)
            try await ours.close()
            try? await theirs.close()
        }
        await lost.shutdown()
    }

    @Test func initializesAPool() async throws {
        let sandbox = try await Live.sandbox()
        try await sandbox.ceph("osd", "pool", "create", "fresh")
        let pool = try await Live.cluster().pool("fresh")
        try await pool.initializeForImages()
        try await pool.createImage("first", size: 1 << 20)
        #expect(try await sandbox.ceph("osd", "pool", "application", "get", "fresh").contains("rbd"))
    }
}
