internal import CephCore
internal import Logging
internal import RBDImage

/// Finds the pool for the data of a replica that is about to be created.
struct DataPoolChoice: Sendable {
    let pair: PoolPair
    let logger: Logger

    /// The option of the target's cluster that comes first.
    private static let option = "rbd_default_data_pool"

    /// - Returns: The pool's id; nil for the replica's own pool.
    func pool(for source: ImageHeader) async throws -> Int64? {
        let configured = try pair.local.cluster.option(Self.option)
        let remote = try await sourcePool(of: source)
        var existing: [String: Int64] = [:]
        for name in [configured, remote].compactMap(\.self) where !name.isEmpty { existing[name] = try await id(of: name) }
        if !configured.isEmpty, existing[configured] == nil { warn(configured) }
        let choice = DataPoolRule.choose(configured: configured, source: remote, own: pair.local.name, existing: existing.keys)
        return choice.flatMap { existing[$0] }
    }

    /// The name of the source's data pool, nil when its data is in its own pool.
    private func sourcePool(of source: ImageHeader) async throws -> String? {
        guard let id = source.dataPool, id != pair.remote.id else { return nil }
        let cluster = pair.remote.cluster
        return try await yieldingToCancellation { try await cluster.pool(id: id).name }
    }

    /// A pool's id on the target, nil when there is none of that name.
    private func id(of name: String) async throws(CephError) -> Int64? {
        do throws(CephError) { return try await pair.local.cluster.pool(name).id } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func warn(_ name: String) {
        logger.warning(
            "\(Self.option) names a pool that does not exist: create it, or unset the option",
            metadata: ["pool.data": "\(name)"])
    }
}
