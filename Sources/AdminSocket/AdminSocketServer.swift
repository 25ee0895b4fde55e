internal import Glibc
public import ServiceLifecycle
internal import Synchronization

/// Serves Ceph's admin-socket protocol, so that `ceph daemon` and `ceph --admin-daemon` reach this process.
///
/// A client sends one request, ended by a NUL or a line feed: JSON as in `{"prefix":"config get","var":"debug_ms"}`,
/// or plain words. The reply is its length (32 bit, big endian) and that many bytes; then the connection is closed.
/// The `ceph` command first asks for `get_command_descriptions` and checks the user's words against them.
/// One thread of its own does all input and output; commands run as tasks.
///
///     let server = AdminSocketServer(version: version)
///     server.register([AdminCommand("log flush", help: "flush log entries to log file") { _ in .done }])
///     try server.open(at: "/var/run/ceph/ceph-client.x.asok")
///     try await server.run()
public final class AdminSocketServer: Service, Sendable {
    private let registry = CommandRegistry()
    private let socket = Mutex<SocketFile?>(nil)
    private let limits: AdminSocketLimits

    /// Creates a server that knows `help`, `version`, `git_version` and `get_command_descriptions`.
    public init(version: AdminVersion, limits: AdminSocketLimits = AdminSocketLimits()) {
        self.limits = limits
        registry.update { table in builtInCommands(version, registry).forEach { table.add($0) } }
    }

    /// Adds commands; one of the same prefix is replaced. May be called at any time.
    public func register(_ commands: [AdminCommand]) {
        registry.update { table in commands.forEach { table.add($0) } }
    }

    /// Removes commands by prefix; those that are running finish.
    public func unregister(_ prefixes: [String]) {
        registry.update { table in prefixes.forEach { table.remove($0) } }
    }

    /// Creates the socket's file and listens; clients wait until `run()` is called.
    ///
    /// A dead process's socket is replaced, a living one's is not. The file is removed when `run()` ends.
    /// - Parameter mode: Permissions of the file; connecting needs write permission.
    public func open(at path: String, mode: UInt32 = 0o600) throws(AdminSocketError) {
        let file = try SocketFile(path: path, mode: mode)
        socket.withLock { $0 = file }
    }

    /// Serves until graceful shutdown or cancellation; returns at once if nothing was opened.
    public func run() async throws {
        guard let socket = socket.withLock({ $0.take() }) else { return }
        let mailbox = try Mailbox()
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withCheckedContinuation { ended in
                    startThread { [limits, registry] in
                        SocketLoop(socket: socket, mailbox: mailbox, limits: limits, registry: registry).run()
                        ended.resume()
                    }
                }
            } onGracefulShutdown: {
                mailbox.stop()
            }
        } onCancel: {
            mailbox.stop()
        }
    }
}

/// The command table, shared by the threads that change it and the one that reads it.
final class CommandRegistry: Sendable {
    private let state = Mutex(CommandTable())

    var table: CommandTable { state.withLock { $0 } }
    func update(_ change: (inout CommandTable) -> Void) { state.withLock { change(&$0) } }
}

private func builtInCommands(_ version: AdminVersion, _ registry: CommandRegistry) -> [AdminCommand] {
    [
        AdminCommand("0", help: "") { _ in .text("2") },
        AdminCommand("version", help: "get ceph version") { _ in .json(version.document) },
        AdminCommand("git_version", help: "get git sha1") { _ in .json(["git_version": .string(version.gitVersion)]) },
        AdminCommand("help", help: "list available commands") { [weak registry] _ in
            .json(registry?.table.help ?? [:])
        },
        AdminCommand("get_command_descriptions", help: "list available commands") { [weak registry] _ in
            .json(registry?.table.descriptions ?? [:])
        },
    ]
}

/// What `version` and `git_version` answer.
public struct AdminVersion: Sendable, Hashable {
    /// As in `16.2.15`.
    public var version: String
    /// As in `pacific`.
    public var release: String
    /// As in `stable`.
    public var releaseType: String
    /// A commit.
    public var gitVersion: String

    public init(version: String, release: String, releaseType: String = "stable", gitVersion: String) {
        self.version = version
        self.release = release
        self.releaseType = releaseType
        self.gitVersion = gitVersion
    }

    var document: JSONValue {
        ["version": .string(version), "release": .string(release), "release_type": .string(releaseType)]
    }
}
