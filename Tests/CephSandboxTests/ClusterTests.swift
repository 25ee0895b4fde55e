import Glibc
import SystemPackage
import Testing

@testable import CephSandbox

@Suite(.serialized) struct ClusterTests {
    /// Without a manager, which few of the tests need.
    static let small = SandboxConfiguration(manager: false)

    private struct Status: Decodable {
        var fsid: String
        var quorum_names: [String]
    }

    @Test func servesImages() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        try await cluster.createPool("vms")
        try await cluster.rbd("create", "vms/disk", "--size", "1G")
        #expect(try await cluster.rbd("ls", "vms") == "disk\n")
        let images = try await cluster.rbdJSON("ls", "vms", as: [String].self)
        #expect(images == ["disk"])
        let content = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        #expect(try await cluster.output("rbd", ["import", "-", "vms/bytes"], input: content).exit.isSuccess)
        #expect(try await cluster.output("rbd", ["export", "vms/bytes", "-"]).standardOutput == content)
    }

    @Test func tellsItsStatusAsJSON() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        let status = try await cluster.cephJSON("status", as: Status.self)
        #expect(status.fsid == cluster.fsid)
        #expect(status.quorum_names == ["a"])
        let error = await #expect(throws: SandboxError.self) { try await cluster.cephJSON("status", as: [Int].self) }
        #expect(error?.code == .unexpectedOutput)
    }

    @Test func isSharedByConfiguration() async throws {
        async let first = SandboxCluster.shared(Self.small)
        async let second = SandboxCluster.shared(Self.small)
        #expect(try await first === second)
    }

    @Test func makesUsersWhoAreHeldToTheirCapabilities() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        try await cluster.createPool("notes", application: "test")
        let keyring = try await cluster.createUser("client.reader", ["mon": "allow r", "osd": "allow r pool=notes"])
        var info = stat()
        #expect(stat(keyring.string, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
        #expect(try await cluster.run("rados", ["--id", "reader", "-p", "notes", "ls"]) == "")
        let error = await #expect(throws: SandboxError.self) {
            try await cluster.run("rados", ["--id", "reader", "-p", "notes", "put", "note", "-"], input: "text")
        }
        #expect(error?.code == .commandFailed)
        try await cluster.run("rados", ["-p", "notes", "put", "note", "-"], input: "text")
        #expect(try await cluster.run("rados", ["-p", "notes", "get", "note", "-"]) == "text")
    }

    @Test func passesOnWhatACommandSaid() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        let error = await #expect(throws: SandboxError.self) { try await cluster.rbd("info", "nowhere/disk") }
        #expect(error?.code == .commandFailed)
        #expect(error?.exit?.status == 2)
        #expect(error?.command.suffix(2) == ["info", "nowhere/disk"])
        #expect(error?.standardError.contains("No such file or directory") == true)
    }

    @Test func keepsItsFilesPrivate() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        var info = stat()
        #expect(stat(cluster.folder.string, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o700)
        #expect(stat(cluster.adminKeyring.string, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
    }

    @Test func listensOnLoopbackOnly() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        let ports = Set([cluster.ports.monitor.v2, cluster.ports.monitor.v1] + Array(cluster.ports.others))
        var addresses: [String] = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in try FilePath(table).contents.split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                let local = words[1].split(separator: ":")
                // State 0A is listening.
                if words[3] == "0A", ports.contains(try #require(Int(local[1], radix: 16))) { addresses.append(String(local[0])) }
            }
        }
        #expect(addresses.count >= 3)
        #expect(Set(addresses) == ["0100007F"])
    }

    @Test func answersOnAdminSockets() async throws {
        let cluster = try await SandboxCluster.shared(Self.small)
        let socket = try #require(cluster.osds[0].adminSocket)
        #expect(try await socket.ask("config get", ["var": "osd_objectstore"]).contains("memstore"))
        // The boot's haste is over.
        let interval = try await cluster.monitor.adminSocket?.ask("config get", ["var": "paxos_propose_interval"])
        #expect(interval?.contains("\"1.0") == true)
        let error = await #expect(throws: SandboxError.self) { try await socket.ask("config set", ["var": "osd_objectstore", "val": "x"]) }
        #expect(error?.code == .commandFailed)
    }

    @Test func offersANameThatClusterOptionsUnderstand() async throws {
        let name = try await withSandboxCluster("named", Self.small) { cluster in
            let name = try cluster.publishedName()
            #expect(try cluster.publishedName() == name)
            let output = try await SandboxProcess.run("ceph", ["--cluster", name, "fsid"])
            #expect(output.text == "\(cluster.fsid)\n")
            return name
        }
        #expect(!exists("/etc/ceph/\(name).conf"))
    }

    @Test func runsAFileSystemAndAManager() async throws {
        try await withSandboxCluster("files", SandboxConfiguration(fileSystem: "cephfs")) { cluster in
            struct FileSystem: Decodable { var name: String }
            #expect(try await cluster.cephJSON("fs", "ls", as: [FileSystem].self).map(\.name) == ["cephfs"])
            struct Modules: Decodable { var enabled_modules: [String] }
            let modules = try await cluster.cephJSON("mgr", "module", "ls", as: Modules.self).enabled_modules
            #expect(modules.contains("mirroring") && modules.contains("snap_schedule"))
            try await waitUntil("the cluster is healthy") { try await cluster.ceph("health") == "HEALTH_OK\n" }

            try await #require(cluster.mds).restart()
            try await #require(cluster.manager).restart()
            #expect(try await cluster.ceph("fs", "status").contains("active"))
        }
    }

    @Test func refusesWhatItCannotDo() async throws {
        for name in ["", "a/b", "has space", ".hidden", String(repeating: "x", count: 17)] {
            let error = await #expect(throws: SandboxError.self) { try await SandboxCluster.start(name) }
            #expect(error?.code == .invalidRequest)
        }
        await #expect(throws: SandboxError.self) { try await SandboxCluster.start("x", SandboxConfiguration(osds: 0)) }
        await #expect(throws: SandboxError.self) { try await SandboxCluster.start("x", SandboxConfiguration(options: ["a": "b\nc"])) }
    }

    @Test func namesTheMissingPackages() async throws {
        let folder = "/tmp/ceph-sandbox-test-\(UInt32.random(in: 0 ... .max))"
        #expect(mkdir(folder, 0o700) == 0)
        defer { rmdir(folder) }
        let configuration = SandboxConfiguration(fileSystem: "cephfs", binaries: .chroot(FilePath("\(folder)/")))
        let error = await #expect(throws: SandboxError.self) { try await SandboxCluster.start("x", configuration) }
        #expect(error?.code == .missingPackage)
        #expect(error?.advice.contains("ceph-base ceph-common ceph-mds ceph-mgr ceph-mon ceph-osd") == true)
        #expect(error?.message.contains(folder) == true)
    }
}
