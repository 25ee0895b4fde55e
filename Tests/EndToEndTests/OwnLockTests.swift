import CephCore
import CephSandbox
import RBDImage
import Testing

extension EndToEnd {
    /// A lock that this very client holds already, under a cookie that nobody knows any more.
    @Suite struct OwnLockTests {
        @Test func isTakenBack() async throws {
            try await withScene("own-lock") { scene in
                let site = scene.siteB
                try await site.rbd("create", site.spec("disk"), "--size", "1M")
                let cluster = try await Cluster.connect(.configurationFile(site.cluster.configurationFile.string))
                let pool = try await cluster.pool(site.pool)
                let id = try await pool.withImage("disk") { try await $0.info().id }
                let object = "rbd_header.\(id)"

                // The cookie was just changed for a new watch when the lock was given back.
                let first = try await ImageLock.watching(id, in: pool)
                try await first.acquire()
                let cookie = try await cookies(pool, object)[0]
                try await pool.change(object, with: LockMethod.setCookie(
                    name: ImageLock.name, kind: .exclusive, cookie: cookie, tag: "internal", newCookie: "auto 4711"))
                await first.close()
                #expect(try await cookies(pool, object).isEmpty)

                // It was not given back, for want of an answer.
                try await pool.change(object, with: LockMethod.lock(
                    name: ImageLock.name, kind: .exclusive, cookie: "auto 4712", tag: "internal"))
                let second = try await ImageLock.watching(id, in: pool)
                try await second.acquire()
                #expect(try await !cookies(pool, object).contains("auto 4712"))

                // What was left on purpose is for another client, who fences this one.
                await second.abandon()
                let third = try await ImageLock.watching(id, in: pool)
                await #expect(throws: ImageLock.Owner.self) { try await third.acquire() }
                await third.close()
                await cluster.shutdown()
            }
        }

        private func cookies(_ pool: Pool, _ object: String) async throws -> [String] {
            try await pool.lockInfo(of: object, name: ImageLock.name).lockers.map(\.cookie)
        }
    }
}
