import CephSandbox
import Synchronization
import SystemPackage

/// Our `rbd-mirror` on one site.
final class MirrorDaemon: Sendable {
    let process: SandboxProcess
    let log: FilePath

    /// Each run has a log of its own.
    private static let runs = Atomic(0)

    private init(process: SandboxProcess, log: FilePath) {
        self.process = process
        self.log = log
    }

    /// Starts the daemon as its own user with the capabilities the manual gives it; it starts working by itself.
    static func start(on cluster: SandboxCluster, _ instance: String = "ours", options: [String] = []) async throws -> MirrorDaemon {
        let user = "client.rbd-mirror.\(instance)"
        try await cluster.createUser(user, ["mon": "profile rbd-mirror", "osd": "profile rbd"])
        let run = runs.add(1, ordering: .relaxed).newValue
        let log = cluster.folder.appending("\(instance)-\(run).log")
        let process = try SandboxProcess.start(
            SandboxProcess.sibling("rbd-mirror").string,
            [
                "-c", cluster.configurationFile.string, "-n", user, "-d", "--debug_rbd_mirror", "20",
                "--admin-socket", cluster.folder.appending("\(instance).asok").string,
            ] + options, log: log)
        return MirrorDaemon(process: process, log: log)
    }

    /// Asks the daemon to end and expects it to within 10 s.
    func terminate() async throws {
        let exit = try await process.terminate(within: .seconds(10))
        guard exit.isSuccess else { throw ToolFailure(tool: "rbd-mirror", text: "\(exit) after SIGTERM\n\(logTail())") }
    }

    func kill() async throws { try await process.kill() }

    func logTail(lines: Int = 60) -> String { process.logTail(lines: lines) }
}

extension MirrorDaemon {
    /// Waits until this run of the daemon has logged a text, so many times at least.
    func waitForLog(_ text: String, times: Int = 1, within limit: Duration = .seconds(30)) async throws {
        try await waitUntil("the daemon logs \"\(text)\"", within: limit, every: .milliseconds(5)) {
            guard process.isRunning else { throw ToolFailure(tool: "rbd-mirror", text: "it ended\n\(logTail())") }
            return logTail(lines: 1000).ranges(of: text).count >= times
        }
    }
}
