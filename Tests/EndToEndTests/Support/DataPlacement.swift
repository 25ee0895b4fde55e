import CephSandbox

/// In which pool the data objects of an image are.
struct DataPlacement: Decodable, Sendable {
    private let data_pool: String?
    private let block_name_prefix: String

    /// - Parameters:
    ///   - pool: The pool wanted; nil for the image's own.
    ///   - others: Pools that must not have any of them.
    static func expect(_ image: String, on site: Site, in pool: String?, not others: [String]) async throws {
        let image = try await site.cluster.rbdJSON("info", site.spec(image), as: DataPlacement.self)
        guard image.data_pool == pool else {
            throw ToolFailure(tool: "rbd info", text: "the data pool is \(image.data_pool ?? "none"), not \(pool ?? "none")")
        }
        let wanted = pool ?? site.pool
        for pool in Set(others + [site.pool, wanted]) {
            let count = try await site.objects(in: pool).filter { $0.hasPrefix(image.block_name_prefix) }.count
            guard (count > 0) == (pool == wanted) else {
                throw ToolFailure(tool: "rados -p \(pool) ls", text: "\(count) objects of \(image.block_name_prefix), whose pool is \(wanted)")
            }
        }
    }
}
