internal import Glibc
internal import Synchronization

/// Becoming a background process, without `fork`, which a process with threads cannot do safely.
///
/// The process starts itself anew in a session of its own and waits. The new one keeps standard error until it is
/// ready, so that the user sees why it failed; then the old one exits, with 0 only if the new one got ready.
public final class Detachment: Sendable {
    static let variable = "CEPH_SWIFT_READY_FD"
    private let descriptor: Mutex<Int32?>

    private init(_ descriptor: Int32?) { self.descriptor = Mutex(descriptor) }

    /// Goes to the background, unless this is to stay in the foreground or is there already.
    ///
    /// Call it first thing. In the process that was started by hand it does not return: it exits.
    public static func begin(foreground: Bool) throws(ProcessError) -> Detachment {
        if let number = getenv(variable).flatMap({ Int32(String(cString: $0)) }) {
            unsetenv(variable)
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            return Detachment(number)
        }
        if foreground { return Detachment(nil) }
        let (reader, child) = try startAgain()
        exit(waitUntilReady(reader, child))
    }

    /// Whether this is the background process.
    public var isDetached: Bool { descriptor.withLock { $0 != nil } }

    /// Tells the waiting process that all is well and lets go of the terminal; nothing in the foreground.
    ///
    /// Throws where the waiting process was interrupted meanwhile: the user wants no daemon any more.
    public func ready() throws(ProcessError) {
        guard let pipe = descriptor.withLock({ $0.take() }) else { return }
        // Where the reader has gone, the write must fail and not kill.
        let before = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, before) }
        var byte: UInt8 = 1
        guard write(pipe, &byte, 1) == 1 else { throw ProcessError("the starting process has gone", errno: errno) }
        close(pipe)
        let null = open("/dev/null", O_RDWR)
        for standard in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where null >= 0 { dup2(null, standard) }
        if null > STDERR_FILENO { close(null) }
    }

    private static func startAgain() throws(ProcessError) -> (reader: Int32, child: pid_t) {
        keepOpenFilesToSelf()
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ProcessError("pipe", errno: errno) }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(newSession))

        setenv(variable, String(ends[1]), 1)
        defer { unsetenv(variable) }
        var child = pid_t()
        let program = try programPath()
        let failure = posix_spawn(&child, program, &actions, &attributes, CommandLine.unsafeArgv, environ)
        close(ends[1])
        guard failure == 0 else { throw ProcessError("start of \(program)", errno: failure) }
        return (ends[0], child)
    }

    /// Whoever waits for what this process had inherited to be closed must not wait for the daemon.
    private static func keepOpenFilesToSelf() {
        guard let folder = opendir("/proc/self/fd") else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// The real path: `killall` and the like go by the name of the file that was executed.
    private static func programPath() throws(ProcessError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw ProcessError("/proc/self/exe", errno: errno) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func waitUntilReady(_ reader: Int32, _ child: pid_t) -> Int32 {
        var byte: UInt8 = 0
        var count = 0
        repeat { count = read(reader, &byte, 1) } while count < 0 && errno == EINTR
        if count == 1 { return 0 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let (wasKilled, code) = (status & 0x7f != 0, (status >> 8) & 0xff)
        return wasKilled || code == 0 ? 1 : code
    }
}

/// `POSIX_SPAWN_SETSID`, which the C library declares for GNU sources only.
private let newSession: Int32 = 0x80
