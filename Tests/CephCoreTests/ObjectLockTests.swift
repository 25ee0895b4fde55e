import CephCore
import CephSandbox
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct ObjectLockTests {
    private struct Stock: Decodable {
        struct Locker: Decodable {
            var name: String
            var cookie: String
            var description: String
            var addr: String
        }
        var name: String
        var type: String
        var tag: String
        var lockers: [Locker]
    }

    /// What the stock tool says about a lock.
    private func stock(_ lock: ObjectLock) async throws -> Stock {
        let sandbox = try await Live.sandbox()
        let arguments = ["-p", lock.pool.name, "-N", lock.pool.namespace, "lock", "info", lock.object, lock.name, "--format", "json"]
        return try JSONDecoder().decode(Stock.self, from: Data(try await sandbox.run("rados", arguments).utf8))
    }

    @Test func exclusiveMeansOne() async throws {
        let other = try await Live.connect()
        let pool = try await Live.objects()
        let lock = ObjectLock("leader", on: "object", in: pool)
        let theirs = try ObjectLock("leader", on: "object", in: await Live.objects(of: other).inNamespace(pool.namespace))
        #expect(await failure { _ = try await lock.info() }?.isNotFound == true)
        try await lock.acquire(.exclusive, cookie: "one", tag: "internal", description: "a test")
        let info = try await lock.info()
        #expect(info.kind == .exclusive && info.tag == "internal" && info.lockers.count == 1)
        let holder = try #require(info.lockers.first)
        #expect(holder.client == pool.cluster.globalID && holder.cookie == "one" && holder.description == "a test")

        let judge = try await stock(lock)
        #expect(judge.type == "exclusive" && judge.tag == "internal")
        #expect(judge.lockers.map(\.name) == ["client.\(holder.client)"])
        #expect(judge.lockers.map(\.cookie) == ["one"])
        #expect(judge.lockers[0].addr == holder.address && judge.lockers[0].description == "a test")

        #expect(await failure { try await lock.acquire(.exclusive, cookie: "one", tag: "internal") }?.alreadyExists == true)
        #expect(await failure { try await theirs.acquire(.exclusive, cookie: "two", tag: "internal") }?.isBusy == true)
        #expect(await failure { try await theirs.acquire(.shared, cookie: "two", tag: "internal") }?.isBusy == true)
        #expect(await failure { try await theirs.release(cookie: "one") }?.isNotFound == true)
        try await lock.release(cookie: "one")
        #expect(try await lock.info().lockers.isEmpty)
        try await theirs.acquire(.exclusive, cookie: "two")
        #expect(try await lock.info().lockers.map(\.client) == [other.globalID])
        await other.shutdown()
    }

    @Test func sharedMeansManyOfOneTag() async throws {
        let lock = ObjectLock("shared", on: "object", in: try await Live.objects())
        for number in 0..<5 { try await lock.acquire(.shared, cookie: "c\(number)", tag: "t") }
        #expect(await failure { try await lock.acquire(.shared, cookie: "x", tag: "other") }?.isBusy == true)
        let info = try await lock.info()
        #expect(info.kind == .shared && Set(info.lockers.map(\.cookie)) == ["c0", "c1", "c2", "c3", "c4"])
        #expect(try await stock(lock).lockers.count == 5)
    }

    @Test func isBroken() async throws {
        let lost = try await Live.connect()
        let pool = try await Live.objects(of: lost)
        try await ObjectLock("l", on: "object", in: pool).acquire(.exclusive, cookie: "gone")
        let ours = try ObjectLock("l", on: "object", in: await Live.objects().inNamespace(pool.namespace))
        let holder = try #require(try await ours.info().lockers.first)
        try await ours.breakLock(of: holder)
        #expect(await failure { try await ours.breakLock(of: holder) }?.isNotFound == true)
        try await ours.acquire(.exclusive, cookie: "mine")
        await lost.shutdown()
    }

    @Test func runsOut() async throws {
        let lock = ObjectLock("l", on: "object", in: try await Live.objects())
        try await lock.acquire(.exclusive, cookie: "one", for: .seconds(6))
        #expect(await failure { try await lock.acquire(.exclusive, cookie: "two") }?.isBusy == true)
        try await waitUntil("the lock has run out") {
            do {
                try await lock.acquire(.exclusive, cookie: "two")
                return true
            } catch let error as CephError where error.isBusy { return false }
        }
    }

    @Test func guardsWrites() async throws {
        let pool = try await Live.objects()
        let lock = ObjectLock("l", on: "object", in: pool)
        try await lock.acquire(.exclusive, cookie: "one", tag: "internal")
        #expect(await pool.refusal(of: "object") {
            $0.assertLocked("l", .exclusive, cookie: "two", tag: "internal")
            $0.append([1])
        }?.isBusy == true)
        #expect(await pool.refusal(of: "object") {
            $0.assertLocked("l", .exclusive, cookie: "one", tag: "internal")
            $0.append([2])
        } == nil)
        try await lock.setCookie(from: "one", to: "two", .exclusive, tag: "internal")
        #expect(try await stock(lock).lockers.map(\.cookie) == ["two"])
        #expect(await failure { try await lock.setCookie(from: "one", to: "three", .exclusive, tag: "internal") }?.isBusy == true)
        #expect(await pool.refusal(of: "object") {
            $0.assertLocked("l", .exclusive, cookie: "two", tag: "internal")
            $0.append([3])
        } == nil)
        #expect(try await pool.read("object", length: 10) == [2, 3])
    }
}
