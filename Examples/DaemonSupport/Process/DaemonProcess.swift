internal import Glibc
public import ServiceLifecycle
internal import UnixSignals

/// The process around an engine: pid file, user, log, and what happens to them at the end.
///
///     let detachment = try Detachment.begin(foreground: options.isForeground)
///     let settings = DaemonSettings(options, subsystem: "rbd_mirror") { option in … }
///     let process = try await DaemonProcess(settings, detachment: detachment)
///     LoggingSystem.bootstrap(process.log.handler)
///     …connect…
///     defer { process.end() }
///     try process.ready()
///     try await ServiceGroup(services: [process, engine], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
public final class DaemonProcess: Service, Sendable {
    public let log: LogWriter
    private let pidFile: PIDFile?
    private let detachment: Detachment
    private let hangUps: UnixSignalsSequence

    /// Locks the pid file, opens the log, hands both to the user the daemon is to be, and becomes that user.
    ///
    /// From here on SIGHUP does not kill: it is kept until ``run()`` answers it.
    public init(_ settings: DaemonSettings, detachment: Detachment) async throws(ProcessError) {
        let identity = try Identity(user: settings.user, group: settings.group)
        pidFile = try settings.pidFile.map { (path) throws(ProcessError) in try PIDFile(path: path, owner: identity) }
        log = LogWriter(settings, owner: identity)
        try identity?.assume()
        self.detachment = detachment
        // A peer that hangs up must never kill.
        signal(SIGPIPE, SIG_IGN)
        hangUps = await UnixSignalsSequence(trapping: .sighup)
    }

    /// Says that the daemon is up; in the background that lets the command that started it return.
    public func ready() throws(ProcessError) { try detachment.ready() }

    /// Opens the log anew at each SIGHUP, until graceful shutdown.
    public func run() async throws {
        for await _ in hangUps.cancelOnGracefulShutdown() { await log.reopen() }
    }

    /// Writes what is left of the log and removes the pid file.
    public func end() {
        log.stop()
        pidFile?.remove()
    }
}
