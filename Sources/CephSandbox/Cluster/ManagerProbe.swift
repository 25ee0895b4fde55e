internal import Foundation
internal import Synchronization
internal import SystemPackage

/// Asks the monitor whether the manager that was started last is active.
final class ManagerProbe: Sendable {
    private struct Status: Decodable {
        var available: Bool
        var active_gid: UInt64
    }

    private let command: (executable: String, arguments: [String])
    private let timeout: Duration
    /// The manager seen ready before a restart: the monitor goes on naming it until the new one has reported.
    private let known = Mutex<UInt64>(0)

    init(_ configuration: SandboxConfiguration, _ configurationFile: FilePath) throws(SandboxError) {
        command = try configuration.binaries.command("ceph", ["-c", configurationFile.string, "mgr", "dump", "--format", "json"])
        timeout = configuration.commandTimeout
    }

    func isReady() async throws -> Bool {
        let output = try await SandboxProcess.run(command.executable, command.arguments, timeout: timeout)
        guard output.exit.isSuccess, let status = try? JSONDecoder().decode(Status.self, from: Data(output.standardOutput)) else {
            return false
        }
        return known.withLock { known in
            guard status.available, status.active_gid != known else { return false }
            known = status.active_gid
            return true
        }
    }
}
