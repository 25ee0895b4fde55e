import CephCore
import CephSandbox
import RBDMirroring
import Testing

@Suite(.serialized) struct CooperatorTests {
    static let ids = (0..<8).map { "00000000-0000-4000-8000-00000000000\($0)" }

    private func sandbox(_ pool: String) async throws -> SandboxCluster {
        let cluster = try await SandboxCluster.shared(SandboxConfiguration(manager: false))
        try await cluster.createPool(pool)
        return cluster
    }

    @Test func aloneItLeadsAndServesEverything() async throws {
        let sandbox = try await sandbox("alone")
        let daemon = try await TestDaemon.start(sandbox, pool: "alone")
        let pool = daemon.pool
        try await waitUntil("it leads", within: .seconds(10)) { daemon.cooperator.isLeader }

        await daemon.share.imagesChanged(local: [], remote: Set(Self.ids))
        try await waitUntil("it has all images", within: .seconds(10)) { daemon.owner.now.images == Set(Self.ids) }
        #expect(try await imageMap(pool) == Dictionary(uniqueKeysWithValues: Self.ids.map { ($0, daemon.cooperator.instanceID) }))
        #expect(try await instances(pool) == [daemon.cooperator.instanceID])

        await daemon.share.imagesChanged(local: [Self.ids[0]], remote: [Self.ids[1]])
        try await waitUntil("the others are dropped", within: .seconds(10)) { daemon.owner.now.images == Set(Self.ids[0...1]) }
        try await waitUntil("the map follows", within: .seconds(10)) { try await imageMap(pool).keys.sorted() == Self.ids[0...1].sorted() }

        await daemon.cooperator.stop()
        #expect(daemon.owner.now.images == [])
        #expect(try await instances(pool) == [])
        #expect(try await pool.exists("rbd_mirror_instance.\(daemon.cooperator.instanceID)") == false)
        // Map entries stay for the next leader.
        #expect(try await imageMap(pool).count == 2)
        await daemon.cluster.shutdown()
    }
}
