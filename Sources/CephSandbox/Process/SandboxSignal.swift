internal import Glibc

/// A signal to send to a process; an open set.
public struct SandboxSignal: Hashable, Sendable, RawRepresentable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Ends the process at once (SIGKILL).
    public static let kill = SandboxSignal(rawValue: SIGKILL)
    /// Asks the process to end (SIGTERM).
    public static let terminate = SandboxSignal(rawValue: SIGTERM)
    /// Interrupts the process as Ctrl-C does (SIGINT).
    public static let interrupt = SandboxSignal(rawValue: SIGINT)
    /// Tells the process to reopen or reload (SIGHUP).
    public static let hangUp = SandboxSignal(rawValue: SIGHUP)
    /// Freezes the process (SIGSTOP).
    public static let stop = SandboxSignal(rawValue: SIGSTOP)
    /// Lets a frozen process go on (SIGCONT).
    public static let resume = SandboxSignal(rawValue: SIGCONT)
}
