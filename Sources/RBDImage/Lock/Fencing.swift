public import CephCore
internal import Foundation

extension Pool {
    /// Global ids of the clients that watch an object.
    ///
    /// Where librados.hpp was not found, asks by a header-update notification, which every watcher answers
    /// or lets time out.
    func watchingClients(of object: String) async throws(CephError) -> Set<UInt64> {
        if Pool.usesNative { return Set(try await watchers(of: object).map(\.client)) }
        let outcome = try await notify(object, HeaderNotification.headerUpdate.encoded)
        return Set(outcome.replies.map(\.watcher) + outcome.silent.map(\.watcher))
    }

    /// Who holds a lock (class `lock`) on an object.
    public func lockInfo(of object: String, name: String) async throws(CephError) -> LockInfo {
        let reply = try await call(LockMethod.getInfo(name: name), on: object)
        do throws(WireError) { return try LockInfo(encoded: reply) } catch {
            throw .undecodable(error, operation: "lock.get_info", subject: object)
        }
    }

    /// Blocklists a dead lock owner, waits until the OSDs know, and breaks its lock.
    ///
    /// Nothing the owner sent can be applied after this returns. One that is fenced already, as whoever had many locks is with the
    /// first of them, is not fenced again: the monitors take about one such change a second.
    public func fence(_ locker: LockInfo.Locker, lock: String, on object: String) async throws(CephError) {
        if await !cluster.isFenced(locker.address) { try await cluster.blocklist(locker.address) }
        try await cluster.waitForLatestMap()
        try await breakLock(locker, named: lock, on: object)
    }

    /// Takes a lock away from who holds it, if it is there still.
    @inline(never)  // Swift 6.3.1's optimiser crashes on it within its callers.
    func breakLock(_ locker: LockInfo.Locker, named name: String, on object: String) async throws(CephError) {
        do throws(CephError) {
            try await change(object, with: LockMethod.breakLock(name: name, client: locker.client, cookie: locker.cookie))
        } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

extension Cluster {
    /// Whether the monitors have a client on their blocklist for some time to come; false also when they do not say.
    func isFenced(_ address: String) async -> Bool {
        // Its JSON is none where there are ranges, too.
        guard let reply = try? await monitorCommand(["prefix": "osd blocklist ls"]) else { return false }
        let dates = ISO8601DateFormatter()
        dates.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for line in String(decoding: reply.output, as: UTF8.self).split(separator: "\n") {
            // 127.0.0.1:0/12345 2026-11-26T17:56:32.426020+0000
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2, words[0] == address else { continue }
            return (dates.date(from: String(words[1].prefix(23)) + words[1].suffix(5))?.timeIntervalSinceNow ?? 0) > 600
        }
        return false
    }
}
