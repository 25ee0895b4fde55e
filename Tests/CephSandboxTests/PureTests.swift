import Testing

@testable import CephSandbox

@Suite struct PureTests {
    private func text(_ configuration: SandboxConfiguration) -> String {
        ConfigurationText(
            fsid: "F", folder: "/tmp/x", monitorHosts: "[v2:127.0.0.1:7/0]", ports: 10...20, configuration: configuration
        ).text
    }

    @Test func writesEveryOptionOnce() {
        let lines = text(SandboxConfiguration()).split(separator: "\n")
        let global = lines.prefix { $0 != "[mon]" }
        let keys = global.dropFirst().compactMap { $0.split(separator: "=").first }
        #expect(lines.first == "[global]")
        #expect(Set(keys).count == keys.count)
        #expect(global.contains("fsid = F"))
        #expect(global.contains("osd_objectstore = memstore"))
        #expect(global.contains("ms_bind_port_max = 20"))
        #expect(lines.filter { $0.hasPrefix("[") } == ["[global]", "[mon]", "[mgr]", "[osd]", "[mds]"])
        #expect(lines.contains("osd_data = /tmp/x/$name"))
    }

    @Test(arguments: ["osd pool default size", "osd_pool_default_size", "osd-pool-default-size"])
    func optionsOverrideItsOwn(_ name: String) {
        let lines = text(SandboxConfiguration(options: [name: "3"])).split(separator: "\n")
        #expect(lines.contains("osd_pool_default_size = 3"))
        #expect(!lines.contains("osd_pool_default_size = 1"))
    }

    @Test func sizesBlueStore() {
        let lines = text(SandboxConfiguration(objectStore: .blueStore(bytes: 77))).split(separator: "\n")
        #expect(lines.contains("osd_objectstore = bluestore"))
        #expect(lines.contains("bluestore_block_size = 77"))
    }

    @Test func takesWaitStatusesApart() {
        #expect(SandboxExit(waitStatus: 0x0300) == SandboxExit(status: 3, signal: nil))
        #expect(SandboxExit(waitStatus: 0) == SandboxExit(status: 0, signal: nil))
        #expect(SandboxExit(waitStatus: 9) == SandboxExit(status: nil, signal: 9))
        // With a core dump.
        #expect(SandboxExit(waitStatus: 0x8b) == SandboxExit(status: nil, signal: 11))
        #expect(SandboxExit(waitStatus: 0x0300).description == "exit status 3")
        #expect(SandboxExit(waitStatus: 9).description == "signal 9")
    }

    @Test func showsTheEndOfALog() {
        #expect(LogTail.last(2, of: "a\nb\n\nc\n") == "b\nc")
        #expect(LogTail.last(5, of: "a") == "a")
        #expect(LogTail.last(5, of: "") == "")
        #expect(LogTail.read("/no/such/file", lines: 3) == "")
    }

    @Test(arguments: [
        ("ceph-mon", "ceph-mon"), ("ceph-mgr", "ceph-mgr"), ("ceph-osd", "ceph-osd"), ("ceph-mds", "ceph-mds"), ("ceph", "ceph-common"),
        ("rbd", "ceph-common"), ("rados", "ceph-common"), ("ceph-authtool", "ceph-common"), ("monmaptool", "ceph-base"),
        ("rbd-mirror", "rbd-mirror"), ("cephfs-mirror", "cephfs-mirror"),
    ])
    func knowsThePackage(_ program: String, _ package: String) {
        #expect(Executable.package(of: program) == package)
    }

    @Test func escapesJSON() {
        #expect(jsonString("a\"b\\c\n\u{1}") == #""a\"b\\c\u000a\u0001""#)
        #expect(jsonString("ü") == "\"ü\"")
    }

    @Test func describesAnErrorWithAdviceAndLog() {
        let error = SandboxError(.daemonExited, "osd.0 ended.", advice: "Look.", logTail: "last line")
        #expect(error.description == "osd.0 ended.\nWhat to do: Look.\nEnd of the log:\nlast line")
    }

    @Test func keysAllowWhatTheirOwnersNeed() {
        #expect(Keyring.owner("osd.3").capabilityArguments.prefix(3) == ["--cap", "mon", "allow profile osd"])
        #expect(Keyring.owner("mgr.x").capabilities.prefix(2) == ["mon", "allow profile mgr"])
        #expect(Keyring.owner("mds.a").capabilities.prefix(2) == ["mon", "allow profile mds"])
        #expect(Keyring.monitor.fileName == "mon.a")
    }
}

@Suite struct PortBlockTests {
    @Test func blocksDoNotOverlap() throws {
        let blocks = try (0..<20).map { _ in try PortBlock.take() }
        let ports = blocks.flatMap { [$0.monitor.v2, $0.monitor.v1] + Array($0.others) }
        #expect(Set(ports).count == ports.count)
        #expect(ports.allSatisfy { (10_240..<32_768).contains($0) })
        withExtendedLifetime(blocks) {}
    }
}
