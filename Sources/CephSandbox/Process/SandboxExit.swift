/// Tells how a process ended.
public struct SandboxExit: Hashable, Sendable {
    /// The exit status, 0 to 255; `nil` if a signal ended the process.
    public let status: Int32?
    /// The signal that ended the process; `nil` if it exited by itself.
    public let signal: Int32?

    /// Says whether the process exited by itself with status 0.
    public var isSuccess: Bool { status == 0 }
}

extension SandboxExit: CustomStringConvertible {
    public var description: String {
        if let status { return "exit status \(status)" }
        if let signal { return "signal \(signal)" }
        return "unknown end"
    }
}
