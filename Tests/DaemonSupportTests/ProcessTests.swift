import AdminSocket
import Foundation
import Testing

@testable import DaemonSupport

/// The real thing: a daemon without an engine, started, asked, signalled and stopped as an operator would.
@Suite struct ProcessTests {
    /// A started daemon; killed with its owner if it is still there.
    final class Daemon: Sendable {
        let folder: ScratchFolder
        let pid: pid_t
        init(_ folder: ScratchFolder, pid: pid_t) { (self.folder, self.pid) = (folder, pid) }
        deinit { kill(pid, SIGKILL) }

        /// A process that has ended but was not yet waited for counts as gone.
        var isAlive: Bool {
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
            return status.drop { $0 != ")" }.dropFirst(2).first != "Z"
        }
        func ask(_ words: String...) async throws -> String {
            try await run("/usr/bin/env", ["ceph", "--admin-daemon", folder["asok"], "-f", "json"] + words, folder: folder).output
        }
    }

    /// The build puts it beside the tests.
    private var probe: String { URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/daemon-probe" }

    private func arguments(_ folder: ScratchFolder) -> [String] {
        ["--admin-socket", folder["asok"], "--log-file", folder["log"], "--pid-file", folder["pid"]]
    }

    private func start(_ folder: ScratchFolder, _ more: [String] = [], environment: [String: String] = [:]) async throws -> Daemon {
        let outcome = try await run(probe, arguments(folder) + more, environment: environment, folder: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let pid = try #require(pid_t(folder.text("pid").trimmingCharacters(in: .newlines)))
        return Daemon(folder, pid: pid)
    }

    private func stop(_ daemon: Daemon) async throws {
        kill(daemon.pid, SIGTERM)
        #expect(try await eventually { !daemon.isAlive })
        #expect(!FileManager.default.fileExists(atPath: daemon.folder["pid"]))
        #expect(!FileManager.default.fileExists(atPath: daemon.folder["asok"]))
        #expect(daemon.folder.lines("log").last?.hasSuffix("notice probe: stopped") == true)
    }

    @Test func backgroundWithPIDFileLogAndSocket() async throws {
        let folder = try ScratchFolder()
        let daemon = try await start(folder)
        let identity = try #require(JSONValue.parse(Array(try await daemon.ask("whoami").utf8)))
        #expect(identity["pid"] == .integer(Int64(daemon.pid)))
        #expect(identity["session"] == .integer(Int64(daemon.pid)), "in a session of its own")
        #expect(try String(contentsOfFile: "/proc/\(daemon.pid)/comm", encoding: .utf8) == "daemon-probe\n")
        for descriptor in 0...2 {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(daemon.pid)/fd/\(descriptor)") == "/dev/null")
        }
        #expect(folder.lines("log").first?.contains("notice probe: started key=*** pid=\(daemon.pid)") == true)
        #expect(!folder.text("log").contains("geheim"))
        try await stop(daemon)
    }

    @Test func secondOneIsRefusedByThePIDFile() async throws {
        let folder = try ScratchFolder()
        let daemon = try await start(folder)
        let second = try await run(probe, arguments(folder), folder: folder)
        #expect(second.status == 1)
        #expect(second.errors.contains("pid file \(folder["pid"]): another process holds it"))
        #expect(folder.text("pid") == "\(daemon.pid)\n")
        #expect(daemon.isAlive)
        try await stop(daemon)
    }

    @Test func deadOnesFilesAreTakenOver() async throws {
        let folder = try ScratchFolder()
        let first = try await start(folder)
        kill(first.pid, SIGKILL)
        #expect(try await eventually { !first.isAlive })
        #expect(FileManager.default.fileExists(atPath: folder["pid"]))
        #expect(FileManager.default.fileExists(atPath: folder["asok"]))
        let second = try await start(folder)
        #expect(second.pid != first.pid)
        #expect(try await second.ask("version").contains("probe"))
        try await stop(second)
    }

    @Test func failureBeforeReadyReachesTheCaller() async throws {
        let folder = try ScratchFolder()
        let outcome = try await run(probe, arguments(folder) + ["--probe-fail", "no cluster today"], folder: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors == "daemon-probe: no cluster today\n")
        #expect(!FileManager.default.fileExists(atPath: folder["pid"]))
        let bad = try await run(probe, ["--id"], folder: folder)
        #expect(bad.status == 1 && bad.errors == "daemon-probe: Option --id requires an argument.\n")
        let nobody = try await run(probe, arguments(folder) + ["--setuser", "nosuchuser"], folder: folder)
        #expect(nobody.status == 1 && nobody.errors.contains("unable to look up user 'nosuchuser'"))
        let nogroup = try await run(probe, arguments(folder) + ["--setgroup", "nosuchgroup"], folder: folder)
        #expect(nogroup.status == 1 && nogroup.errors.contains("unable to look up group 'nosuchgroup'"))
        let nowhere = try await run(probe, arguments(folder) + ["--pid-file", "/nonexistent/pid"], folder: folder)
        #expect(nowhere.status == 1 && nowhere.errors.contains("/nonexistent/pid: No such file"))
    }

    @Test func interruptedStartLeavesNoDaemon() async throws {
        let folder = try ScratchFolder()
        let starter = Process()
        starter.executableURL = URL(filePath: probe)
        starter.arguments = arguments(folder) + ["--probe-wait", folder["go"]]
        try starter.run()
        #expect(try await eventually { !folder.text("pid").isEmpty })
        let daemon = Daemon(folder, pid: try #require(pid_t(folder.text("pid").trimmingCharacters(in: .newlines))))
        kill(starter.processIdentifier, SIGKILL)
        starter.waitUntilExit()
        #expect(daemon.isAlive)
        try Data().write(to: URL(filePath: folder["go"]))
        #expect(try await eventually { !daemon.isAlive })
    }

    @Test func helpAndVersionDoNotStartAnything() async throws {
        let folder = try ScratchFolder()
        let help = try await run(probe, arguments(folder) + ["--help"], folder: folder)
        #expect(help.status == 0 && help.output.hasPrefix("usage: daemon-probe"))
        #expect(try await run(probe, ["-v"], folder: folder).output == "daemon-probe 1\n")
        #expect(!FileManager.default.fileExists(atPath: folder["pid"]))
    }

    @Test func hangUpReopensTheLog() async throws {
        let folder = try ScratchFolder()
        let daemon = try await start(folder)
        try FileManager.default.moveItem(atPath: folder["log"], toPath: folder["log.1"])
        kill(daemon.pid, SIGHUP)
        #expect(try await eventually { FileManager.default.fileExists(atPath: folder["log"]) })
        _ = try await daemon.ask("say", "after")
        _ = try await daemon.ask("log", "flush")
        #expect(folder.lines("log").map { $0.hasSuffix(": after") } == [true])
        #expect(!folder.text("log.1").contains("after"))
        try await stop(daemon)
    }

    @Test func configurationThroughTheSocket() async throws {
        let folder = try ScratchFolder()
        let daemon = try await start(folder, ["--debug-probe", "5"])
        #expect(try await daemon.ask("config", "get", "debug_probe").hasPrefix(#"{"debug_probe":"5"}"#))
        #expect(try await daemon.ask("config", "set", "debug_probe", "10").hasPrefix(#"{"success":""}"#))
        #expect(try await daemon.ask("config", "show").contains(#""debug_probe":"10""#))
        #expect(try await daemon.ask("config", "get", "nosuch")
            .hasPrefix("ERROR: (2) No such file or directory\nerror getting 'nosuch': (2) No such file or directory\n"))
        try await stop(daemon)
    }

    @Test func linesAsJSON() async throws {
        let folder = try ScratchFolder()
        let daemon = try await start(folder, ["--log-json"], environment: ["CEPH_ARGS": "--id x"])
        _ = try await daemon.ask("log", "flush")
        for line in folder.lines("log") {
            let value = try #require(JSONValue.parse(Array(line.utf8)), "\(line)")
            #expect(value["time"] != nil && value["level"] != nil && value["message"] != nil)
        }
        #expect(folder.lines("log").first?.contains(#""message":"started","metadata":{"key":"***""#) == true)
        kill(daemon.pid, SIGINT)
        #expect(try await eventually { !daemon.isAlive })
    }

    @Test(.enabled(if: getuid() == 0)) func becomesAnotherUserForGood() async throws {
        let folder = try ScratchFolder()
        chmod(folder.path, 0o777)
        let daemon = try await start(folder, ["--setuser", "nobody", "--setgroup", "daemon"])
        let identity = try #require(JSONValue.parse(Array(try await daemon.ask("whoami").utf8)))
        let (user, group) = (getpwnam("nobody")!.pointee.pw_uid, getgrnam("daemon")!.pointee.gr_gid)
        #expect(identity["uid"] == .integer(Int64(user)) && identity["gid"] == .integer(Int64(group)))
        let status = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
        #expect(status.contains("Uid:\t\(user)\t\(user)\t\(user)\t\(user)"))
        #expect(status.contains("Groups:\t\(group) \n"), "none of root's groups are left")
        for file in ["log", "pid", "asok"] {
            let owner = try FileManager.default.attributesOfItem(atPath: folder[file])[.ownerAccountID] as? Int
            #expect(owner == Int(user), "\(file)")
        }
        try FileManager.default.moveItem(atPath: folder["log"], toPath: folder["log.1"])
        kill(daemon.pid, SIGHUP)
        #expect(try await eventually { FileManager.default.fileExists(atPath: folder["log"]) }, "its user may open it anew")
        try await stop(daemon)
    }

    @Test func foregroundStaysAndLogsToStandardError() async throws {
        let folder = try ScratchFolder()
        async let outcome = run(probe, ["-d", "--admin-socket", folder["asok"], "--pid-file", folder["pid"]], folder: folder)
        #expect(try await eventually { FileManager.default.fileExists(atPath: folder["asok"]) })
        let pid = try #require(pid_t(folder.text("pid").trimmingCharacters(in: .newlines)))
        let daemon = Daemon(folder, pid: pid)
        _ = try await daemon.ask("say", "hello")
        kill(pid, SIGTERM)
        let ended = try await outcome
        #expect(ended.status == 0)
        #expect(ended.errors.contains("notice probe: started key=***"))
        #expect(ended.errors.contains("notice probe: hello\n"))
        #expect(ended.errors.hasSuffix("notice probe: stopped\n"))
        #expect(!FileManager.default.fileExists(atPath: folder["log"]))
    }
}

@Suite struct PIDFileTests {
    @Test func removedAtTheEndButNotASuccessors() throws {
        let folder = try ScratchFolder()
        let first = try PIDFile(path: folder["pid"])
        #expect(folder.text("pid") == "\(getpid())\n")
        first.remove()
        #expect(!FileManager.default.fileExists(atPath: folder["pid"]))
        let second = try PIDFile(path: folder["pid"])
        unlink(folder["pid"])
        try Data("1\n".utf8).write(to: URL(filePath: folder["pid"]))
        second.remove()
        #expect(folder.text("pid") == "1\n")
    }

    @Test func oldContentIsReplaced() throws {
        let folder = try ScratchFolder()
        try Data("4194304999999\n".utf8).write(to: URL(filePath: folder["pid"]))
        let file = try PIDFile(path: folder["pid"])
        #expect(folder.text("pid") == "\(getpid())\n")
        withExtendedLifetime(file) {}
    }

    @Test func unwritablePlacesAreNamed() {
        let error = #expect(throws: ProcessError.self) { try PIDFile(path: "/nonexistent/pid") }
        #expect(error?.description == "pid file /nonexistent/pid: No such file or directory")
        #expect(error?.errno == ENOENT)
    }
}

@Suite struct IdentityTests {
    @Test func lookUps() throws {
        let root = try #require(try Identity(user: "root", group: nil))
        #expect(root.user == 0 && root.group == 0 && root.userName == "root")
        let number = try #require(try Identity(user: "0", group: nil))
        #expect(number == root)
        let unnamed = try #require(try Identity(user: "12345", group: nil))
        #expect(unnamed.user == 12345 && unnamed.group == 12345 && unnamed.userName == nil)
        let both = try #require(try Identity(user: "root", group: "77"))
        #expect(both.user == 0 && both.group == 77)
        let groupOnly = try #require(try Identity(user: nil, group: "daemon"))
        #expect(groupOnly.user == getuid() && groupOnly.userName == nil)
        #expect(try Identity(user: nil, group: nil) == nil)
    }

    @Test(arguments: ["nosuchuser", "", "-1", "4294967296"])
    func unknown(_ name: String) {
        #expect(throws: ProcessError.self) { try Identity(user: name, group: nil) }
        #expect(throws: ProcessError.self) { try Identity(user: nil, group: name) }
    }
}
