import CephSandbox
import Testing

@Suite(.serialized) struct PairTests {
    private struct PoolInfo: Decodable {
        var mode: String
        var site_name: String
        var peers: [Peer]
        struct Peer: Decodable {
            var direction: String
            var site_name: String
        }
    }

    private func info(_ cluster: SandboxCluster, _ pool: String) async throws -> PoolInfo {
        try await cluster.rbdJSON("mirror", "pool", "info", pool)
    }

    @Test func sitesKnowEachOther() async throws {
        let pair = try await SandboxPair.shared()
        for (cluster, other) in [(pair.siteA, pair.siteB), (pair.siteB, pair.siteA)] {
            let info = try await info(cluster, "rbd")
            #expect(info.mode == "image")
            #expect(info.site_name == cluster.name)
            #expect(info.peers.map(\.site_name) == [other.name])
            #expect(info.peers.map(\.direction) == ["rx-tx"])
            try await cluster.rbd("create", "rbd/disk-\(cluster.name)", "--size", "16M")
            #expect(try await cluster.rbd("ls", "rbd") == "disk-\(cluster.name)\n")
        }
        #expect(!exists("\(pair.siteB.folder)/token"))
        #expect(pair.siteA.fsid != pair.siteB.fsid)
    }

    @Test func oneWayLeavesTheSourceAlone() async throws {
        let pair = try await SandboxPair.shared()
        try await pair.addMirroredPool("one-way", direction: .fromAToB)
        #expect(try await info(pair.siteB, "one-way").peers.map(\.direction) == ["rx-only"])
        #expect(try await info(pair.siteA, "one-way").peers.allSatisfy { $0.direction == "tx-only" })
    }

    @Test func stockDaemonReplicatesAndRestarts() async throws {
        let pair = try await SandboxPair.shared()
        try await pair.addMirroredPool("stock")
        try await pair.siteA.rbd("create", "stock/disk", "--size", "16M")
        try await pair.siteA.rbd("mirror", "image", "enable", "stock/disk", "snapshot")
        let mirror = try await pair.siteB.startRBDMirror(options: ["debug rbd_mirror": "5"])
        try await pair.siteB.showingLogsOnFailure {
            try await waitUntil("the image is there", within: .seconds(90), every: .milliseconds(200)) {
                try await pair.siteB.rbd("ls", "stock") == "disk\n"
            }
        }
        #expect(try await mirror.adminSocket?.ask("rbd mirror status").contains("pool_replayers") == true)
        let links = { names(in: "/etc/ceph").filter { $0.hasPrefix("site-b-") } }
        let link = try #require(links().first { processes(mentioning: String($0.dropLast(5))).contains("\(mirror.processID ?? 0)") })

        let first = mirror.processID
        try await mirror.kill()
        try await mirror.restart()
        #expect(mirror.processID != first)
        try await mirror.terminate()
        #expect(mirror.isRunning == false)
        try await mirror.stop()
        #expect(!links().contains(link))
    }

    @Test func stockFileSystemMirrorCopies() async throws {
        let pair = try await SandboxPair.start(.init(SandboxConfiguration(fileSystem: "cephfs"), pools: []))
        do {
            try await pair.connectFileSystems()
            let mirror = try await pair.siteA.startCephFSMirror(options: ["cephfs_mirror_directory_scan_interval": "1"])
            let volumes = ["fs", "subvolume"]
            try await pair.siteA.ceph(volumes + ["create", "cephfs", "home"])
            // A subvolume's snapshots are those of the folder that holds it.
            try await pair.siteA.ceph("fs", "snapshot", "mirror", "add", "cephfs", "/volumes/_nogroup/home")
            try await pair.siteA.ceph(volumes + ["snapshot", "create", "cephfs", "home", "monday"])
            try await waitUntil("the snapshot is copied", within: .seconds(60), every: .milliseconds(200)) {
                guard let socket = mirror.adminSocket,
                    let words = try await socket.ask("help").firstMatch(of: /fs mirror peer status [^"]+/)
                else { return false }
                return try await socket.ask(String(words.output)).contains("\"snaps_synced\":1")
            }
        } catch {
            print(pair.siteA.logTails())
            try? await pair.stop()
            throw error
        }
        try await pair.stop()
    }

    @Test func connectingFileSystemsNeedsThem() async throws {
        let pair = try await SandboxPair.shared()
        let error = await #expect(throws: SandboxError.self) { try await pair.connectFileSystems() }
        #expect(error?.code == .invalidRequest)
    }
}
