internal import Glibc

/// What a command that ended by itself left.
public struct SandboxOutput: Hashable, Sendable {
    public let exit: SandboxExit
    public let standardOutput: [UInt8]
    public let standardError: [UInt8]

    /// Standard output as UTF-8 text.
    public var text: String { String(decoding: standardOutput, as: UTF8.self) }
    /// Standard error as UTF-8 text.
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }
}

extension SandboxProcess {
    /// Runs a command to its end and returns what it wrote, whatever its exit status.
    ///
    /// When the time is over or the task is cancelled, the command and what it has started are killed.
    ///
    /// - Parameter input: What the command reads from standard input.
    /// - Throws: `SandboxError.commandTimedOut`, or what kept the command from starting.
    public static func run(
        _ executable: String, _ arguments: [String] = [], input: [UInt8] = [], environment: [String: String] = [:],
        timeout: Duration = .seconds(60)
    ) async throws -> SandboxOutput {
        let guardian = try Guardian.shared.get()
        let path = try Executable.locate(executable)
        let stdin = try Descriptor.unnamed(in: guardian.folder, holding: input)
        let stdout = try Descriptor.unnamed(in: guardian.folder)
        let stderr = try Descriptor.unnamed(in: guardian.folder)
        let spawn = Spawn(
            executable: path, arguments: arguments, environment: childEnvironment(environment, mark: guardian.mark),
            input: stdin.number, output: stdout.number, error: stderr.number)
        let watch = ExitWatch(pid: try spawn.start())

        let exit = await watch.wait(atMost: timeout)
        if exit == nil {
            _ = watch.send(SIGKILL, toGroup: true)
            _ = await Task { await watch.wait(atMost: .seconds(10)) }.value
        }
        lseek(stdout.number, 0, SEEK_SET)
        lseek(stderr.number, 0, SEEK_SET)
        let error = try stderr.readToEnd()
        guard let exit else {
            try Task.checkCancellation()
            throw SandboxError(
                .commandTimedOut, "`\(([executable] + arguments).joined(separator: " "))` did not end within \(timeout) and was killed.",
                advice: "Check that no daemon it needs is frozen or down, or give it a longer timeout.",
                command: [path] + arguments, standardError: String(decoding: error, as: UTF8.self))
        }
        return SandboxOutput(exit: exit, standardOutput: try stdout.readToEnd(), standardError: error)
    }
}
