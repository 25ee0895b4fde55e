import CephSandbox
import Glibc
import Testing

@Suite(.serialized) struct FaultTests {
    private static func write(_ text: String, _ cluster: SandboxCluster) async throws {
        try await cluster.run("rados", ["-p", "notes", "put", "note", "-"], input: text, timeout: .seconds(20))
    }

    private static func read(_ cluster: SandboxCluster, timeout: Duration = .seconds(30)) async throws -> String {
        try await cluster.run("rados", ["-p", "notes", "get", "note", "-"], timeout: timeout)
    }

    @Test func aFrozenClusterAnswersNobodyUntilItThaws() async throws {
        try await withSandboxCluster("frozen", ClusterTests.small) { cluster in
            try await cluster.createPool("notes", application: "test")
            try await Self.write("before", cluster)
            try await cluster.freeze()
            let error = await #expect(throws: SandboxError.self) { try await Self.read(cluster, timeout: .seconds(2)) }
            #expect(error?.code == .commandTimedOut)
            let isRunning = cluster.daemons.allSatisfy(\.isRunning)
            #expect(isRunning)
            try await cluster.thaw()
            #expect(try await Self.read(cluster) == "before")
        }
    }

    @Test func aFrozenOSDStopsReadsOnly() async throws {
        try await withSandboxCluster("osd", ClusterTests.small) { cluster in
            try await cluster.createPool("notes", application: "test")
            try await Self.write("text", cluster)
            try await cluster.osds[0].freeze()
            await #expect(throws: SandboxError.self) { try await Self.read(cluster, timeout: .seconds(2)) }
            #expect(try await cluster.ceph("fsid") == "\(cluster.fsid)\n")
            try await cluster.osds[0].thaw()
            #expect(try await Self.read(cluster) == "text")
        }
    }

    @Test func blueStoreOutlivesAKilledOSD() async throws {
        let configuration = SandboxConfiguration(objectStore: .blueStore(bytes: 2 << 30), manager: false)
        try await withSandboxCluster("blue", configuration) { cluster in
            try await cluster.createPool("notes", application: "test")
            try await Self.write("kept", cluster)
            let osd = cluster.osds[0]
            let first = osd.processID
            try await osd.kill()
            #expect(!osd.isRunning)
            #expect(osd.exit?.signal == SIGKILL)
            try await osd.restart()
            #expect(osd.isRunning)
            #expect(osd.processID != first)
            #expect(try await Self.read(cluster) == "kept")

            try await osd.terminate()
            #expect(osd.exit?.isSuccess == true)
            try await osd.restart()
            #expect(try await Self.read(cluster) == "kept")
        }
    }

    @Test func anOSDInMemoryComesBackOnlyAfterAnEndInGoodOrder() async throws {
        try await withSandboxCluster("memory", ClusterTests.small) { cluster in
            try await cluster.createPool("notes", application: "test")
            try await Self.write("kept", cluster)
            try await cluster.osds[0].terminate()
            try await cluster.osds[0].restart()
            #expect(try await Self.read(cluster) == "kept")
            try await cluster.osds[0].kill()
            let error = await #expect(throws: SandboxError.self) { try await cluster.osds[0].restart() }
            #expect(error?.code == .invalidRequest)
            #expect(error?.advice.contains("blueStore") == true)
        }
    }

    @Test func aKilledMonitorComesBack() async throws {
        try await withSandboxCluster("monitor", ClusterTests.small) { cluster in
            try await cluster.createPool("notes", application: "test")
            try await cluster.monitor.kill()
            await #expect(throws: SandboxError.self) { try await cluster.run("ceph", ["fsid"], timeout: .seconds(2)) }
            try await cluster.monitor.restart()
            #expect(try await cluster.ceph("osd", "pool", "ls") == "notes\n")
        }
    }

    @Test func aKilledClusterIsStoppedTwice() async throws {
        let cluster = try await SandboxCluster.start("killed", ClusterTests.small)
        try await cluster.kill()
        let isRunning = cluster.daemons.contains(where: \.isRunning)
        #expect(!isRunning)
        try await cluster.stop()
        try await cluster.stop()
        #expect(!exists(cluster.folder.string))
    }

    @Test func severalOSDsServe() async throws {
        try await withSandboxCluster("three", SandboxConfiguration(osds: 3, manager: false)) { cluster in
            #expect(try await cluster.ceph("osd", "ls") == "0\n1\n2\n")
            try await cluster.createPool("notes", application: "test")
            try await Self.write("text", cluster)
            #expect(try await Self.read(cluster) == "text")
        }
    }

    @Test func logTailsNameEveryDaemon() async throws {
        let cluster = try await SandboxCluster.shared(ClusterTests.small)
        let tails = cluster.logTails(lines: 2)
        #expect(tails.contains("mon.a, running\n") && tails.contains("osd.0, running\n"))
        #expect(!cluster.monitor.logTail(lines: 1).isEmpty)
        struct Expected: Error {}
        await #expect(throws: Expected.self) { try await cluster.showingLogsOnFailure(lines: 1) { throw Expected() } }
    }
}
