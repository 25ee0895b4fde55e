public import SystemPackage
internal import Synchronization

/// Controls one daemon of a sandbox: kills, freezes, restarts it, and shows its log.
public final class SandboxDaemon: Sendable {
    /// Ceph's name of the daemon, for example `osd.0`.
    public let name: String
    /// Takes what the daemon logs, over all restarts.
    public let logFile: FilePath
    let plan: Plan
    private let process = Mutex<SandboxProcess?>(nil)

    /// How a daemon is started and known to be ready.
    struct Plan: Sendable {
        var executable: String
        var arguments: [String]
        var readyWithin: Duration
        /// Whether it can be started again after SIGKILL without having lost its data.
        var outlivesKill = true
        var isReady: @Sendable (SandboxDaemon) async throws -> Bool
        /// Runs once, when the daemon is stopped for good.
        var cleanUp: @Sendable () throws -> Void = {}
        /// The admin socket, found anew each time since some daemons put their process id into its name.
        var adminSocket: @Sendable (SandboxDaemon) -> FilePath?
    }

    init(name: String, logFile: FilePath, plan: Plan) {
        self.name = name
        self.logFile = logFile
        self.plan = plan
    }

    /// The daemon's admin socket; `nil` while there is none.
    public var adminSocket: SandboxAdminSocket? { plan.adminSocket(self).map(SandboxAdminSocket.init) }

    /// The process id of the running daemon, or of the last one that ran.
    public var processID: Int32? { process.withLock { $0?.processID } }

    /// Says whether the daemon's process exists; a frozen one does.
    public var isRunning: Bool { process.withLock { $0?.isRunning ?? false } }

    /// How the daemon ended; `nil` while it runs.
    public var exit: SandboxExit? { process.withLock { $0?.exit } }

    /// Sends a signal and does not wait for its effect.
    @discardableResult
    public func send(_ signal: SandboxSignal) -> Bool { process.withLock { $0?.send(signal) ?? false } }

    /// Kills the daemon (SIGKILL) and waits until it is gone. An OSD in memory loses its objects.
    public func kill() async throws { try await running()?.kill() }

    /// Asks the daemon to end (SIGTERM) and waits until it has.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(60)) async throws -> SandboxExit {
        guard let process = running() else { throw notStarted }
        return try await process.terminate(within: limit)
    }

    /// Freezes the daemon (SIGSTOP): its connections stay up and nobody answers.
    public func freeze() async throws {
        guard let process = running() else { throw notStarted }
        try await process.freeze()
    }

    /// Lets the frozen daemon go on (SIGCONT).
    public func thaw() async throws {
        guard let process = running() else { throw notStarted }
        try await process.thaw()
    }

    /// Waits until the daemon has ended.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(30)) async throws -> SandboxExit {
        guard let process = running() else { throw notStarted }
        return try await process.waitForExit(within: limit)
    }

    /// Kills the daemon if it runs, starts it and waits until it is ready.
    ///
    /// An OSD in memory writes its objects to disk when it is asked to end, and has them again:
    ///
    ///     try await osd.terminate()
    ///     try await osd.restart()
    ///
    /// - Throws: `SandboxError.invalidRequest` for an OSD in memory that runs or was killed: it has nothing to come back with.
    public func restart() async throws {
        guard plan.outlivesKill || exit?.isSuccess == true else {
            throw SandboxError(
                .invalidRequest, "\(name) keeps its objects in memory and would come back without them.",
                advice: "Ask it to end first with `terminate()`, or start the cluster with the object store `.blueStore()`.")
        }
        try await kill()
        try await start()
    }

    /// Kills the daemon and removes what belongs to it alone; it cannot be restarted then.
    public func stop() async throws {
        try await kill()
        try plan.cleanUp()
    }

    /// The last lines of the log.
    public func logTail(lines: Int = 20) -> String { LogTail.read(logFile, lines: lines) }

    /// Starts the process and waits until it is ready.
    func start(extraArguments: [String] = []) async throws {
        try launch(extraArguments: extraArguments)
        try await waitUntilReady()
    }

    func launch(extraArguments: [String] = []) throws(SandboxError) {
        let started = try SandboxProcess.start(plan.executable, plan.arguments + extraArguments, log: logFile)
        process.withLock { $0 = started }
    }

    /// Waits until the daemon serves, and fails as soon as it has ended.
    func waitUntilReady() async throws {
        do {
            try await waitUntil("\(name) is ready", within: plan.readyWithin) { [self] in
                if let exit {
                    throw SandboxError(.daemonExited, "\(name) ended while it started: \(exit).", advice: advice, logTail: logTail())
                }
                return try await plan.isReady(self)
            }
        } catch let error as SandboxError where error.code == .deadlineExceeded {
            throw SandboxError(.deadlineExceeded, error.message, advice: advice, logTail: logTail())
        }
    }

    private var advice: String { "Read the log; it is removed with the cluster: \(logFile)" }

    private func running() -> SandboxProcess? { process.withLock { $0 } }

    private var notStarted: SandboxError { SandboxError(.invalidRequest, "\(name) was never started.") }
}
