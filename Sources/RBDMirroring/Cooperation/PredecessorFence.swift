internal import CephCore
internal import Foundation
internal import RBDImage

/// Recognises what an earlier run of this daemon has left, and fences it at once.
///
/// Other daemons would take half a minute to see that it is dead. Its locks name its process; on the same host
/// one can see that the process is gone.
struct PredecessorFence: Sendable {
    let pool: Pool
    let identity: DaemonIdentity
    let fence: InstanceFence

    /// Fences all dead earlier runs that left a lock in this namespace.
    ///
    /// - Returns: Their instance ids.
    func run() async throws -> Set<String> {
        let instances = try await LeaderObject(pool: pool).instances()
        let dead = try await withThrowingTaskGroup(of: (String, LockInfo.Locker)?.self) { group in
            for instance in instances {
                group.addTask { try await predecessor(on: InstanceMailbox.name(of: instance)).map { (instance, $0) } }
            }
            var found: [String: LockInfo.Locker] = [:]
            for try await case let (instance, locker)? in group { found[instance] = locker }
            return found
        }
        let leader = try await predecessor(on: LeaderObject.name)
        try await fence.blocklist(Set((dead.values + [leader].compactMap(\.self)).map(\.address)), on: pool.cluster)
        if let leader {
            try await fence.breakLeaderLock(of: leader.client, cookie: leader.cookie, in: pool)
        }
        for instance in dead.keys.sorted() { try await fence.remove(instance: instance, in: pool) }
        return Set(dead.keys)
    }

    /// The dead earlier run that holds the lock on an object, if that is so.
    private func predecessor(on object: String) async throws -> LockInfo.Locker? {
        do throws(CephError) {
            let info = try await pool.lockInfo(of: object, name: LeaderObject.lock)
            return info.lockers.first(where: isDead)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func isDead(_ locker: LockInfo.Locker) -> Bool {
        guard let owner = DaemonIdentity(locker.description) else { return false }
        // This process has given up an earlier client of its own.
        if owner == identity { return !LiveClients.contains(locker.client) }
        return owner.isDeadPredecessor(of: identity, startTime: DaemonIdentity.startTime(of:))
    }
}

/// The clients of this process that are at work in a pool.
enum LiveClients {
    private static let counts = Locked<[UInt64: Int]>([:])

    static func contains(_ client: UInt64) -> Bool { counts.withLock { $0[client] != nil } }

    static func add(_ client: UInt64) { counts.withLock { $0[client, default: 0] += 1 } }

    static func remove(_ client: UInt64) {
        counts.withLock { counts in
            guard let count = counts[client] else { return }
            counts[client] = count > 1 ? count - 1 : nil
        }
    }
}

extension DaemonIdentity {
    /// The identity of this process.
    ///
    /// - Parameter daemon: The daemon's name, the same in its next run and different from its neighbours' on this host.
    public static func current(daemon: String) -> DaemonIdentity {
        let bootID = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
        let processID = ProcessInfo.processInfo.processIdentifier
        return DaemonIdentity(
            bootID: bootID.trimmingCharacters(in: .whitespacesAndNewlines), pidNamespace: namespace, processID: processID,
            startTime: startTime(of: processID) ?? 0, daemon: daemon)
    }

    /// When the process with an id started; nil when there is none.
    static func startTime(of processID: Int32) -> UInt64? {
        guard let line = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else { return nil }
        return startTime(inStat: line)
    }
}
