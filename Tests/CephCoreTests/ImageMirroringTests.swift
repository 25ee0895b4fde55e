import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct ImageMirroringTests {
    static func pair() async throws -> (siteA: Cluster, siteB: Cluster, sandbox: SandboxPair) {
        let configuration = SandboxConfiguration(manager: false, options: ["paxos propose interval": "0.05"])
        let pair = try await SandboxPair.shared(.init(configuration, pools: []))
        return (try await Cluster.connect(pair.siteA.connection()), try await Cluster.connect(pair.siteB.connection()), pair)
    }

    @Test func bootstrapsPeersAndChangesThem() async throws {
        let (siteA, siteB, sandbox) = try await Self.pair()
        for cluster in [sandbox.siteA, sandbox.siteB] { try await cluster.createPool("peers") }
        let poolA = try await siteA.pool("peers")
        let poolB = try await siteB.pool("peers")
        #expect(try await poolA.mirrorMode() == .disabled)
        #expect(await failure { _ = try await poolA.mirrorUUID() }?.isNotFound == true)
        #expect(try await siteA.mirrorSiteName() == sandbox.siteA.fsid)
        try await siteA.setMirrorSiteName("east")
        try await siteB.setMirrorSiteName("west")
        #expect(try await siteA.mirrorSiteName() == "east")
        for pool in [poolA, poolB] { try await pool.setMirrorMode(.image) }
        #expect(try await poolA.mirrorMode() == .image)
        #expect(try await poolA.mirrorUUID().count == 36)

        let token = try await poolA.createMirrorBootstrapToken()
        #expect("\(token)" == "<secret>" && !token.revealed.isEmpty)
        try await poolB.importMirrorBootstrapToken(token, direction: .both)
        let peerOfB = try #require(try await poolB.mirrorPeers().first)
        #expect(peerOfB.siteName == "east" && peerOfB.direction == .both)
        #expect(peerOfB.clientName == "client.rbd-mirror-peer")
        #expect(try await poolA.mirrorPeers().map(\.siteName) == ["west"])
        #expect(await failure { try await poolB.importMirrorBootstrapToken(Secret("rubbish")) }?.code == EINVAL)

        let attributes = try await poolB.mirrorPeerAttributes(peerOfB.uuid)
        #expect(attributes.monitorHosts?.contains("127.0.0.1") == true)
        let key = try #require(attributes.key)
        #expect(try await sandbox.siteA.ceph("auth", "get-key", "client.rbd-mirror-peer") == key.revealed)
        try await poolB.setMirrorPeer(peerOfB.uuid, attributes: .init(monitorHosts: "127.0.0.1:1", key: Secret("AAAA")))
        #expect(try await poolB.mirrorPeerAttributes(peerOfB.uuid).key?.revealed == "AAAA")
        try await poolB.setMirrorPeer(peerOfB.uuid, siteName: "far-east")
        try await poolB.setMirrorPeer(peerOfB.uuid, clientName: "client.other")
        try await poolB.setMirrorPeer(peerOfB.uuid, direction: .receives)
        let changed = try #require(try await poolB.mirrorPeers().first)
        #expect(changed.siteName == "far-east" && changed.clientName == "client.other" && changed.direction == .receives)
        try await poolB.removeMirrorPeer(peerOfB.uuid)
        #expect(try await poolB.mirrorPeers().isEmpty)
        let uuid = try await poolB.addMirrorPeer(site: "north", client: "client.north", direction: .receives)
        #expect(try await poolB.mirrorPeers().map(\.uuid) == [uuid])
        #expect(await failure { _ = try await poolB.mirrorPeerAttributes(unique("nobody")) }?.isNotFound == true)
        await siteA.shutdown()
        await siteB.shutdown()
    }

    @Test func mirrorsThroughTheStockDaemon() async throws {
        let (siteA, siteB, sandbox) = try await Self.pair()
        try await sandbox.addMirroredPool("mirrored")
        let poolA = try await siteA.pool("mirrored")
        let poolB = try await siteB.pool("mirrored")
        let stock = try await sandbox.siteB.startRBDMirror()
        let name = "disk"
        let data = pattern(1, 1 << 20)
        try await poolA.createImage(name, size: 16 << 20)
        let primary = try await poolA.openImage(name, for: .readWrite)
        #expect(try await primary.mirrorInfo().state == .disabled)
        #expect(try await primary.mirrorMode() == nil)
        #expect(await failure { _ = try await primary.createMirrorSnapshot() }?.code == EINVAL)
        try await primary.enableMirroring(.snapshot)
        try await primary.write(data, at: 1 << 20)
        try await primary.flush()
        let id = try await primary.createMirrorSnapshot()
        let peer = try #require(try await poolA.mirrorPeers().first)
        let mine = try #require(try await primary.snapshots().first { $0.id == id }?.mirror)
        #expect(mine.state == .primary && mine.isComplete && mine.peers == [peer.uuid])
        let info = try await primary.mirrorInfo()
        #expect(info.state == .enabled && info.isPrimary)
        #expect(try await primary.mirrorMode() == .snapshot)
        #expect(try await poolA.mirrorInfos()[primary.id]?.info == info)
        #expect(try await poolA.mirrorInfos(.journal).isEmpty)

        // The replica, once the stock daemon has it.
        try await waitUntil("the replica is complete", within: .seconds(90), every: .milliseconds(200)) {
            guard try await poolB.images().contains(where: { $0.name == name }) else { return false }
            return try await poolB.withImage(name) { image in
                try await image.snapshots().contains { $0.mirror?.primarySnapshotID == id && $0.mirror?.isComplete == true }
            }
        }
        let uuidA = try await poolA.mirrorUUID()
        let replica = try await poolB.openImage(name, for: .readWrite)
        let copy = try #require(try await replica.snapshots().last { $0.mirror != nil })
        #expect(copy.mirror?.state == .nonPrimary && copy.mirror?.primaryMirrorUUID == uuidA)
        #expect(try await replica.mirrorInfo().globalID == info.globalID)
        #expect(try await !replica.mirrorInfo().isPrimary)
        #expect(try await replica.info().features.contains(.nonPrimary))
        #expect(await failure { try await replica.write([1], at: 0) }?.code == EROFS)
        #expect(await failure { try await replica.createSnapshot("mine") }?.code == EROFS)
        #expect(await failure { try await replica.disableMirroring() }?.code == EINVAL)
        #expect(try await replica.read(1 << 20..<2 << 20) == data)
        try await poolB.withImage(name, at: .snapshotID(copy.id)) { image in
            let size = try await image.size()
            #expect(size == 16 << 20)
        }

        // What the daemon says, at both sites.
        try await waitUntil("the statuses are there", within: .seconds(60), every: .milliseconds(200)) {
            let local = try await replica.mirrorStatus().local
            let remote = try await primary.mirrorStatus().remotes.first
            return local?.state == .replaying && local?.isUp == true && remote?.state == .replaying
        }
        let status = try await replica.mirrorStatus()
        #expect(status.imageName == name && status.info.globalID == info.globalID)
        #expect(status.local?.description.hasPrefix("replaying") == true)
        #expect(abs((try #require(status.local).updated - now()) / .seconds(1)) < 600)
        #expect(try await poolB.mirrorStatuses()[replica.id]?.local?.state == .replaying)
        // The daemon of the other site is missing, which counts as the worst.
        #expect(try await poolB.mirrorStatusSummary() == [.unknown: 1])
        let instance = try await replica.mirrorInstanceID()
        #expect(!instance.isEmpty)
        #expect(try await poolB.mirrorInstanceIDs() == [replica.id: instance])
        #expect(await failure { try await replica.promote() }?.isBusy == true)

        // The orderly change of sides.
        try await primary.demote()
        #expect(try await !primary.mirrorInfo().isPrimary)
        try await waitUntil("the demotion has arrived", within: .seconds(60), every: .milliseconds(200)) {
            try await poolB.withImage(name) { image in
                try await image.snapshots().contains { $0.mirror?.state == .nonPrimaryDemoted && $0.mirror?.isComplete == true }
            }
        }
        try await stock.stop()
        try await replica.promote()
        #expect(try await replica.mirrorInfo().isPrimary)
        try await replica.write([7], at: 0)
        try await replica.flush()

        // And the disorderly one.
        // Where the stock daemon did not take its watch along, what notifies waits for it in vain.
        try await waitUntil("the stock daemon's watch is gone", within: .seconds(60), every: .milliseconds(200)) {
            try await primary.watchers().count == 1
        }
        try await primary.requestResync()
        #expect(try await primary.metadata().values.contains { $0.contains("resync") })
        try await primary.promote(force: true)
        #expect(try await primary.mirrorInfo().isPrimary)
        try await primary.disableMirroring()
        #expect(try await primary.mirrorInfo().state == .disabled)
        #expect(try await primary.snapshots().allSatisfy { $0.mirror == nil })
        try await primary.close()
        try await replica.close()
        await siteA.shutdown()
        await siteB.shutdown()
    }

    @Test func listsManyMirroredImages() async throws {
        let (siteA, siteB, sandbox) = try await Self.pair()
        try await sandbox.siteA.createPool("many")
        let pool = try await siteA.pool("many")
        try await pool.setMirrorMode(.image)
        // Without a peer no snapshot is made, so this is quick; more than one page of them.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<8 {
                group.addTask {
                    for number in stride(from: lane, to: 260, by: 8) {
                        try await pool.createImage("image-\(number)", size: 1 << 20, .init(features: [.layering, .exclusiveLock]))
                        try await pool.withImage("image-\(number)", for: .readWrite) { try await $0.enableMirroring(.snapshot) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let infos = try await pool.mirrorInfos(.snapshot)
        #expect(infos.count == 260 && infos.values.allSatisfy { $0.mode == .snapshot && $0.info.isPrimary })
        #expect(Set(infos.values.map(\.info.globalID)).count == 260)
        let statuses = try await pool.mirrorStatuses()
        #expect(Set(statuses.values.map(\.imageName)) == Set((0..<260).map { "image-\($0)" }))
        #expect(try await pool.mirrorStatusSummary() == [.unknown: 260])
        await siteA.shutdown()
        await siteB.shutdown()
    }
}
