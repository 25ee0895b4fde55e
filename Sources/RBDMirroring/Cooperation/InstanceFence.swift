internal import CephCore
internal import Glibc
internal import RBDImage

/// Makes sure that a daemon cannot act any more, and removes what it has left.
struct InstanceFence: Sendable {
    let duration: Duration

    /// Fences clients by address: nothing they have sent can be applied after this returns.
    func blocklist(_ addresses: Set<String>, on cluster: Cluster) async throws(CephError) {
        guard !addresses.isEmpty else { return }
        for address in addresses.sorted() { try await cluster.blocklist(address, for: duration) }
        try await cluster.waitForLatestMap()
    }

    /// Fences the daemon behind a mailbox, then removes the mailbox and its registration.
    ///
    /// A daemon that has left in good order has no mailbox, and nothing is fenced.
    /// - Parameter pools: All namespaces it may have mailboxes in.
    func fence(instance: String, in pools: [Pool]) async throws(CephError) {
        var addresses: Set<String> = []
        for pool in pools { addresses.formUnion(try await owners(of: instance, in: pool)) }
        if let pool = pools.first { try await blocklist(addresses, on: pool.cluster) }
        for pool in pools { try await remove(instance: instance, in: pool) }
    }

    /// Breaks the leader's lock of a client that is fenced.
    func breakLeaderLock(of client: UInt64, cookie: String, in pool: Pool) async throws(CephError) {
        do throws(CephError) {
            try await pool.change(
                LeaderObject.name, with: LockMethod.breakLock(name: LeaderObject.lock, client: client, cookie: cookie))
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Removes a mailbox and its registration.
    func remove(instance: String, in pool: Pool) async throws(CephError) {
        try await pool.removeIfExists(InstanceMailbox.name(of: instance))
        try await LeaderObject(pool: pool).removeInstance(instance)
    }

    /// The addresses of the clients that hold or watch a mailbox.
    private func owners(of instance: String, in pool: Pool) async throws(CephError) -> Set<String> {
        let mailbox = InstanceMailbox.name(of: instance)
        do throws(CephError) {
            var addresses = Set(try await pool.lockInfo(of: mailbox, name: LeaderObject.lock).lockers.map(\.address))
            if Pool.usesNative { addresses.formUnion(try await pool.watchers(of: mailbox).map(\.address)) }
            return addresses
        } catch {
            guard error.isNotFound else { throw error }
            return []
        }
    }
}
