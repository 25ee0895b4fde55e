internal import Glibc
public import SystemPackage

/// Runs one child process that can be killed, frozen and waited for.
///
/// The child has a process group of its own, an empty standard input, and its output goes to a file. It dies with
/// this process, whatever ends that, SIGKILL included. It is not ended when this handle goes away.
///
///     let daemon = try SandboxProcess.start("/usr/bin/rbd-mirror", ["-f"], log: "/tmp/mirror.log")
///     try await daemon.freeze()
///     try await daemon.thaw()
///     try await daemon.kill()
public final class SandboxProcess: Sendable {
    /// The command line, the executable first.
    public let command: [String]
    /// The file that takes standard output and standard error.
    public let logFile: FilePath
    private let watch: ExitWatch

    /// The process id; it may belong to a stranger once the process has ended.
    public var processID: Int32 { watch.pid }

    private init(command: [String], logFile: FilePath, watch: ExitWatch) {
        self.command = command
        self.logFile = logFile
        self.watch = watch
    }

    /// Starts an executable.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to look up in the folders of `PATH`.
    ///   - environment: Added to the environment of this process, or replacing parts of it.
    ///   - log: The file to append standard output and standard error to; made with mode 0600 if absent.
    public static func start(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:], log: FilePath
    ) throws(SandboxError) -> SandboxProcess {
        let guardian = try Guardian.shared.get()
        let path = try Executable.locate(executable)
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let output = try Descriptor.open(log.string, O_WRONLY | O_CREAT | O_APPEND)
        let spawn = Spawn(
            executable: path, arguments: arguments, environment: childEnvironment(environment, mark: guardian.mark),
            input: null.number, output: output.number, error: output.number)
        return SandboxProcess(command: [path] + arguments, logFile: log, watch: ExitWatch(pid: try spawn.start()))
    }

    /// Says whether the process has not ended; a frozen one has not.
    public var isRunning: Bool { watch.exit == nil }

    /// How the process ended; `nil` while it runs.
    public var exit: SandboxExit? { watch.exit }

    /// Sends a signal and does not wait for its effect.
    ///
    /// - Returns: False if the process has ended already.
    @discardableResult
    public func send(_ signal: SandboxSignal) -> Bool { watch.send(signal.rawValue) }

    /// Kills the process (SIGKILL) and waits until it is gone; harmless if it has ended.
    @discardableResult
    public func kill() async throws -> SandboxExit {
        send(.kill)
        return try await waitForExit()
    }

    /// Asks the process to end (SIGTERM) and waits until it has.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(30)) async throws -> SandboxExit {
        send(.terminate)
        return try await waitForExit(within: limit)
    }

    /// Freezes the process (SIGSTOP); when this returns, none of its threads runs.
    public func freeze() async throws {
        send(.stop)
        try await waitUntil("process \(processID) is frozen", every: .milliseconds(2)) { [self] in
            guard let isFrozen = ProcessTable.isFrozen(processID), isRunning else { throw ended }
            return isFrozen
        }
    }

    /// Lets a frozen process go on (SIGCONT). It may have come to its end when this returns.
    public func thaw() async throws {
        guard isRunning else { throw ended }
        send(.resume)
        try await waitUntil("process \(processID) goes on", every: .milliseconds(2)) { [self] in
            ProcessTable.isFrozen(processID) != true || !isRunning
        }
    }

    /// Waits until the process has ended.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(30)) async throws -> SandboxExit {
        if let exit = await watch.wait(atMost: limit) { return exit }
        try Task.checkCancellation()
        throw SandboxError(
            .deadlineExceeded, "\(command.joined(separator: " ")) did not end within \(limit).", logTail: logTail())
    }

    /// The last lines of the log.
    public func logTail(lines: Int = 20) -> String { LogTail.read(logFile, lines: lines) }

    private var ended: SandboxError {
        SandboxError(
            .daemonExited, "\(command.joined(separator: " ")) has ended: \(exit.map { "\($0)" } ?? "just now").", logTail: logTail())
    }
}

/// The environment of a child: this process's own without what would lead Ceph's tools astray, the mark, the additions.
func childEnvironment(_ additions: [String: String], mark: String) -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        next += 1
        guard let equals = text.firstIndex(of: "=") else { continue }
        result[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    for name in ["CEPH_ARGS", "CEPH_CONF", "CEPH_KEYRING"] { result[name] = nil }
    return result.merging(additions) { $1 }.merging([Guardian.markName: mark]) { $1 }
}
