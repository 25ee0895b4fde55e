import CephSandbox
import Glibc
import SystemPackage
import Testing

@Suite(.serialized) struct CleanUpTests {
    /// What a process that holds a cluster has said about it.
    private struct Held {
        var folder: String
        var link: String
        var processes: [String]

        init?(_ line: String) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[0] == "holds" else { return nil }
            (folder, link, processes) = (words[1], words[2], words[3].split(separator: ",").map(String.init))
        }

        var isGone: Bool {
            !exists(folder) && !exists(String(folder.prefix { $0 != "." }.split(separator: "/").dropLast().joined(separator: "/")))
                && !exists(link) && CephSandboxTests.processes(mentioning: folder).isEmpty
        }
    }

    private func hold(_ arguments: [String] = []) async throws -> (owner: SandboxProcess, log: FilePath) {
        let log = FilePath("/tmp/ceph-sandbox-test-\(UInt32.random(in: 0 ... .max)).log")
        return (try SandboxProcess.start(SandboxProcess.sibling("SandboxHolder").string, arguments, log: log), log)
    }

    private func children(of owner: SandboxProcess) throws -> [String] {
        try FilePath("/proc/\(owner.processID)/task/\(owner.processID)/children").contents.split(separator: " ").map(String.init)
    }

    /// The words of a command line; none if the process is gone.
    private func commandLine(of process: String) throws -> [String] {
        guard exists("/proc/\(process)/cmdline") else { return [] }
        return try FilePath("/proc/\(process)/cmdline").contents.split(separator: "\0").map(String.init)
    }

    private func held(by owner: SandboxProcess) async throws -> Held {
        try await waitUntil("the owner holds a cluster", within: .seconds(60)) {
            try #require(owner.isRunning || owner.exit?.isSuccess == true, "\(owner.logTail())")
            return Held(owner.logTail(lines: 1)) != nil
        }
        return try #require(Held(owner.logTail(lines: 1)))
    }

    @Test(arguments: [SandboxSignal.kill, .interrupt, .terminate, .hangUp])
    func nothingIsLeftWhenTheOwnerDies(by signal: SandboxSignal) async throws {
        let (owner, log) = try await hold()
        defer { unlink(log.string) }
        let held = try await held(by: owner)
        #expect(exists(held.folder) && exists(held.link))
        #expect(held.processes.count == 3)
        #expect(processes(mentioning: "sleep\u{0}1000").contains(held.processes[2]))
        #expect(Set(held.processes.dropLast()).isSubset(of: processes(mentioning: held.folder)))
        owner.send(signal)
        #expect(try await owner.waitForExit().signal == signal.rawValue)
        try await waitUntil("all is gone", within: .seconds(20)) {
            held.isGone && !processes(mentioning: "sleep\u{0}1000").contains(held.processes[2])
        }
    }

    @Test func nothingIsLeftWhenTheOwnerEnds() async throws {
        let (owner, log) = try await hold(["end"])
        defer { unlink(log.string) }
        let held = try await held(by: owner)
        #expect(try await owner.waitForExit().isSuccess)
        // The end of the process waits for the clearing up.
        #expect(held.isGone)
    }

    @Test func nothingIsLeftWhenTheOwnerDiesWhileItBoots() async throws {
        let (owner, log) = try await hold()
        defer { unlink(log.string) }
        try await waitUntil("the monitor runs", within: .seconds(30), every: .milliseconds(5)) {
            try children(of: owner).contains { try commandLine(of: $0).first == "/usr/bin/ceph-mon" }
        }
        let guardian = try #require(try children(of: owner).first { try commandLine(of: $0).contains("ceph-sandbox-guardian") })
        let folder = try #require(try commandLine(of: guardian).last)
        #expect(exists(folder))
        try await owner.kill()
        try await waitUntil("all is gone", within: .seconds(20)) { !exists(folder) && processes(mentioning: folder).isEmpty }
    }

    @Test func twoProcessesBootSideBySide() async throws {
        let owners = [try await hold(), try await hold(), try await hold()]
        defer { for owner in owners { unlink(owner.log.string) } }
        var folders: Set<String> = []
        for owner in owners { folders.insert(try await held(by: owner.owner).folder) }
        #expect(folders.count == owners.count)
        for owner in owners { try await owner.owner.kill() }
    }

    @Test(arguments: [
        (["mon_host": "nonsense"], SandboxError.Code.commandFailed),
        // One port is too few for an OSD.
        (["ms_bind_port_min": "1", "ms_bind_port_max": "1", "ms_bind_retry_count": "0"], .daemonExited),
        // Too little time for the monitor.
        ([:], .deadlineExceeded),
    ])
    func nothingIsLeftOfAFailedBoot(_ options: [String: String], _ code: SandboxError.Code) async throws {
        let name = "fails-\(UInt16.random(in: 0 ... .max))"
        let configuration = SandboxConfiguration(options: options, bootTimeout: code == .deadlineExceeded ? .zero : .seconds(30))
        let error = await #expect(throws: SandboxError.self) { try await SandboxCluster.start(name, configuration) }
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.standardError.isEmpty == false || error?.logTail.isEmpty == false || code == .deadlineExceeded)
        #expect(processes(mentioning: "/\(name).").isEmpty)
        let roots = names(in: "/tmp").filter { $0.hasPrefix("ceph-sandbox-") }
        #expect(roots.flatMap { names(in: "/tmp/\($0)") }.allSatisfy { !$0.hasPrefix(name) })
    }

    @Test func nothingIsLeftOfACancelledBoot() async throws {
        let name = "cut-\(UInt16.random(in: 0 ... .max))"
        let boot = Task { try await SandboxCluster.start(name) }
        try await waitUntil("a daemon runs", every: .milliseconds(10)) { !processes(mentioning: "/\(name).").isEmpty }
        boot.cancel()
        await #expect(throws: (any Error).self) { try await boot.value }
        #expect(processes(mentioning: "/\(name).").isEmpty)
    }
}
