import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ObjectOperationTests {
    @Test func writesInAllWays() async throws {
        let pool = try await Live.objects()
        try await pool.write([1, 2, 3], to: "object", at: 5)
        #expect(try await pool.read("object", length: 100) == [0, 0, 0, 0, 0, 1, 2, 3])
        try await pool.writeFull([9, 8, 7, 6], to: "object")
        var operation = WriteOperation()
        operation.append([5])
        operation.zero(1..<3)
        operation.setAllocationHint(objectSize: 4096, writeSize: 4096)
        try await pool.apply(operation, to: "object")
        #expect(try await pool.read("object", length: 100) == [9, 0, 0, 6, 5])
        operation = WriteOperation()
        operation.truncate(to: 2)
        try await pool.apply(operation, to: "object")
        #expect(try await pool.read("object", at: 1, length: 100) == [0])
        #expect(try await pool.read("object", at: 2, length: 100) == [])
        let stat = try await pool.stat("object")
        #expect(stat.size == 2 && abs(Int64(stat.modified) - now().components.seconds) < 600)
        try await pool.remove("object")
        #expect(try await !pool.exists("object"))
        #expect(await failure { try await pool.remove("object") }?.isNotFound == true)
        #expect(try await !pool.removeIfExists("object"))
    }

    @Test func createsExclusively() async throws {
        let pool = try await Live.objects()
        func create(_ exclusive: Bool) async throws {
            var operation = WriteOperation()
            operation.create(exclusive: exclusive)
            try await pool.apply(operation, to: "object")
        }
        try await create(true)
        #expect(await failure { try await create(true) }?.alreadyExists == true)
        try await create(false)
    }

    @Test func zeroDoesNotCreate() async throws {
        let pool = try await Live.objects()
        var operation = WriteOperation()
        operation.zero(0..<4096)
        try await pool.apply(operation, to: "object")
        #expect(try await !pool.exists("object"))
    }

    @Test func writesPartsOfABuffer() async throws {
        let pool = try await Live.objects()
        let buffer = IOBuffer(capacity: 8192)
        buffer.withBytes { $0.copyBytes(from: pattern(1, 8192)) }
        var operation = WriteOperation()
        operation.write(buffer, 100..<4196, at: 10)
        try await pool.apply(operation, to: "object")
        let target = IOBuffer(capacity: 8192)
        #expect(try await pool.read("object", at: 10, into: target, 4096..<8192) == 4096)
        #expect(target.withBytes { Array($0[4096...]) } == Array(pattern(1, 8192)[100..<4196]))
        #expect(try await pool.read("object", at: 4000, into: target, 0..<4096) == 106)
    }

    @Test func allOrNothing() async throws {
        let pool = try await Live.objects()
        let error = await pool.refusal(of: "object") {
            $0.create(exclusive: true)
            $0.setOmap(["key": [1]])
            $0.compareXattr("missing", with: [1])
        }
        #expect(error != nil)
        #expect(try await !pool.exists("object"))
    }

    @Test func guardsHoldOrFail() async throws {
        let pool = try await Live.objects()
        #expect(await pool.refusal(of: "object") { $0.assertExists() }?.isNotFound == true)
        var operation = WriteOperation()
        operation.writeFull([1, 2, 3, 4])
        operation.setXattr("color", to: Array("blue".utf8))
        operation.setOmap(["count": [5]])
        let version = try await pool.apply(operation, to: "object")
        #expect(version > 0)

        func applying(_ body: (inout WriteOperation) -> Void) async -> CephError? {
            await pool.refusal(of: "object") {
                body(&$0)
                $0.append([9])
            }
        }
        #expect(await applying { $0.assertVersion(version + 5) }?.code == EOVERFLOW)
        #expect(await applying { $0.assertVersion(version) } == nil)
        #expect(await applying { $0.assertVersion(version) }?.code == ERANGE)
        #expect(await applying { $0.compareXattr("color", with: Array("red".utf8)) }?.isConflict == true)
        #expect(await applying { $0.compareXattr("color", with: Array("blue".utf8)) } == nil)
        #expect(await applying { $0.compareXattr("color", .notEqual, with: Array("blue".utf8)) }?.isConflict == true)
        #expect(await applying { $0.compareOmap("count", with: [5]) } == nil)
        #expect(await applying { $0.compareOmap("count", with: [6]) }?.isConflict == true)
        #expect(await applying { $0.compareOmap("count", .greater, with: [4]) } == nil)
        #expect(await applying { $0.compareOmap("count", .less, with: [5]) }?.isConflict == true)
        #expect(await applying { $0.compareExtent([2, 3], at: 1) } == nil)
        let mismatch = await applying { $0.compareExtent([1, 2, 7], at: 0) }
        #expect(mismatch?.isConflict == true)
        #expect(mismatch?.mismatchOffset == 2)
        #expect(mismatch?.meaning == "the bytes differ")
        // Only those whose guards held were appended.
        #expect(try await pool.read("object", length: 100) == [1, 2, 3, 4, 9, 9, 9, 9, 9])
    }

    @Test func keepsXattrs() async throws {
        let pool = try await Live.objects()
        var operation = WriteOperation()
        operation.setXattr("one", to: [1])
        operation.setXattr("empty", to: [])
        operation.setXattr("long", to: pattern(1, 10_000))
        try await pool.apply(operation, to: "object")
        operation = WriteOperation()
        operation.removeXattr("one")
        try await pool.apply(operation, to: "object")
        var read = ReadOperation()
        let xattrs = read.xattrs()
        read.compareXattr("empty", with: [])
        try await pool.perform(read, on: "object")
        #expect(try xattrs.value() == ["empty": [], "long": pattern(1, 10_000)])
        // The same answer a second time.
        #expect(try xattrs.value().count == 2)
        #expect(await pool.readRefusal(of: "object") { $0.compareXattr("long", with: [1]) }?.isConflict == true)
    }

    @Test func pagesThroughOmap() async throws {
        let pool = try await Live.objects()
        let keys = (0..<2500).map { "key_\(String(10_000 + $0))" }
        for start in stride(from: 0, to: keys.count, by: 500) {
            var operation = WriteOperation()
            operation.setOmap(Dictionary(uniqueKeysWithValues: keys[start..<start + 500].map { ($0, Array($0.utf8)) }))
            try await pool.apply(operation, to: "object")
        }
        var operation = WriteOperation()
        operation.setOmap(["a": [], "z": [0, 255]])
        try await pool.apply(operation, to: "object")
        #expect(try await pool.omap(of: "object").map(\.key) == ["a"] + keys + ["z"])
        let some = try await pool.omap(of: "object", prefix: "key_")
        #expect(some.map(\.key) == keys && some.allSatisfy { Array($0.key.utf8) == $0.value })

        var read = ReadOperation()
        let page = read.omapValues(after: keys[10], limit: 3)
        let chosen = read.omapValues(ofKeys: ["z", "none", keys[0]])
        try await pool.perform(read, on: "object")
        #expect(try page.value().entries.map(\.key) == Array(keys[11...13]) && page.value().hasMore)
        #expect(try chosen.value().values == ["z": [0, 255], keys[0]: Array(keys[0].utf8)])

        operation = WriteOperation()
        operation.removeOmap(keys[1...])
        try await pool.apply(operation, to: "object")
        #expect(try await pool.omap(of: "object").map(\.key) == ["a", keys[0], "z"])
        operation = WriteOperation()
        operation.clearOmap()
        try await pool.apply(operation, to: "object")
        #expect(try await pool.omap(of: "object").isEmpty)
        #expect(await failure { _ = try await pool.omap(of: "none") }?.isNotFound == true)
    }

    @Test func readsOneMoment() async throws {
        let pool = try await Live.objects()
        try await pool.writeFull([1, 2, 3], to: "object")
        var read = ReadOperation()
        read.assertExists()
        let stat = read.stat()
        let first = read.read(at: 0, length: 2)
        let rest = read.read(at: 2, length: 100)
        let beyond = read.read(at: 50, length: 1)
        try await pool.perform(read, on: "object")
        #expect(try stat.value().size == 3)
        #expect(try first.value() == [1, 2] && rest.value() == [3] && beyond.value() == [])
        #expect(await pool.readRefusal(of: "object") { $0.assertVersion(1_000_000) }?.code == EOVERFLOW)
    }

    @Test func callsClassMethods() async throws {
        let pool = try await Live.objects()
        // cls_rbd's directory: add an image, ask for its name.
        let id = Encoder.encode { $0.string("disk"); $0.string("abc") }
        try await pool.change("rbd_directory", with: ClassCall("rbd", "dir_add_image", input: id))
        let reply = try await pool.call(ClassCall("rbd", "dir_get_id", input: Encoder.encode { $0.string("disk") }), on: "rbd_directory")
        #expect(reply == Encoder.encode { $0.string("abc") })
        let error = await failure { try await pool.change("rbd_directory", with: ClassCall("rbd", "dir_add_image", input: id)) }
        #expect(error?.code == EEXIST || error?.code == EBADF)
        #expect(error?.operation == "rbd.dir_add_image")
        #expect(error?.subject == "\(pool.cluster.name):\(pool.spec)/rbd_directory")
        let missing = await failure { _ = try await pool.call(ClassCall("rbd", "no_such_method"), on: "rbd_directory") }
        #expect(missing?.code == EOPNOTSUPP && missing?.operation == "rbd.no_such_method")
        let unknown = await failure { _ = try await pool.call(ClassCall("no_such_class", "x"), on: "rbd_directory") }
        #expect(unknown?.code == EPERM && unknown?.operation == "no_such_class.x")
        // Rubbish is refused by the class.
        #expect(await failure { _ = try await pool.call(ClassCall("rbd", "dir_get_id", input: [1]), on: "rbd_directory") }?.code == EINVAL)
    }

    @Test func computesChecksumsOnTheServer() async throws {
        let pool = try await Live.objects()
        let data = pattern(1, 65536)
        try await pool.writeFull(data, to: "object")
        var read = ReadOperation()
        let crc = read.checksums(.crc32c, of: 0..<65536, chunk: 4096, seed: 0xffff_ffff)
        let long = read.checksums(.xxhash64, of: 0..<65536, chunk: 16384, seed: 0x1234_5678_9abc_def0)
        let short = read.checksums(.xxhash32, of: 4096..<8192, chunk: 4096, seed: 7)
        try await pool.perform(read, on: "object")
        #expect(try crc.value() == stride(from: 0, to: 65536, by: 4096).map { UInt64(CRC32C.checksum(data[$0..<$0 + 4096], seed: 0xffff_ffff)) })
        #expect(try long.value().count == 4 && Set(long.value()).count == 4)
        #expect(try short.value().count == 1)

        // Equal chunks have equal digests, others have not, and another seed gives others.
        var copy = data
        copy[20_000] ^= 1
        try await pool.writeFull(copy, to: "copy")
        read = ReadOperation()
        let again = read.checksums(.xxhash64, of: 0..<65536, chunk: 16384, seed: 0x1234_5678_9abc_def0)
        let other = read.checksums(.xxhash64, of: 0..<65536, chunk: 16384, seed: 1)
        try await pool.perform(read, on: "copy")
        #expect(try zip(again.value(), long.value()).map { $0 == $1 } == [true, false, true, true])
        #expect(try Set(other.value()).isDisjoint(with: Set(long.value())))
    }

    @Test func namespacesDoNotMix() async throws {
        let one = try await Live.objects()
        let two = try await Live.objects()
        try await one.writeFull([1], to: "object")
        try await two.writeFull([2], to: "object")
        #expect(try await one.read("object", length: 1) == [1])
        #expect(try await one.inNamespace(two.namespace).read("object", length: 1) == [2])
        #expect(one.spec == "objects/\(one.namespace)")
        #expect(try one.inNamespace("").spec == "objects")
    }

    @Test func listsMoreThanAPage() async throws {
        let pool = try await Live.objects()
        let names = Set((0..<1300).map { "object-\($0)" })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { try await pool.writeFull([1], to: name) } }
            try await group.waitForAll()
        }
        var found: [String] = []
        for try await name in pool.objects() { found.append(name) }
        #expect(found.count == 1300 && Set(found) == names)
        var none = 0
        for try await _ in try await Live.objects().objects() { none += 1 }
        #expect(none == 0)
        // A listing that is left early frees what it holds.
        var iterator = pool.objects().makeAsyncIterator()
        #expect(try await iterator.next() != nil)
    }
}
