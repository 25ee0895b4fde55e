internal import CephCore
internal import RBDImage

/// The sites that a pool's images come from.
struct PoolListing: Sendable {
    let id: Int64
    let name: String
    let peers: Result<[MirrorPeer], any Error>

    /// Asks all pools at once: one that does not answer holds up no other.
    static func read(_ pools: [Int64: String], in cluster: Cluster) async -> [PoolListing] {
        await withTaskGroup { group in
            for (id, name) in pools { group.addTask { await read(id, name, in: cluster) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func read(_ id: Int64, _ name: String, in cluster: Cluster) async -> PoolListing {
        do {
            let directory = MirrorDirectory(try await cluster.pool(id: id))
            guard try await directory.mode() != .disabled else { return PoolListing(id: id, name: name, peers: .success([])) }
            let peers = try await directory.peers().filter { $0.direction != .transmit }
            return PoolListing(id: id, name: name, peers: .success(peers))
        } catch {
            return PoolListing(id: id, name: name, peers: .failure(error))
        }
    }
}
