/// What a client may use up, and how long it may take.
public struct AdminSocketLimits: Sendable, Hashable {
    /// Longest request in bytes; the connection of a longer one is closed.
    public var requestBytes = 64 << 10
    /// Connections served at once; further ones wait in the kernel's queue.
    public var connections = 32
    /// How long a client may take to send its request, and again to read the reply.
    public var transfer: Duration = .seconds(10)
    /// How long a command may run before it is cancelled and the client is told so.
    public var command: Duration = .seconds(60)

    public init() {}
}
