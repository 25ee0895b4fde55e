internal import Glibc
internal import Synchronization

/// Clears up after this process, however it ends.
///
/// A small shell holds one end of a socket pair. When this process is gone, even by SIGKILL, it sees the other end closed, kills
/// every process that carries this owner's mark in its environment, and removes the files it was told about.
/// The mark is what makes sure that only processes started here are killed, whatever process ids were reused, and that none is missed
/// that was being started at that moment.
final class Guardian: Sendable {
    /// The guardian of this process, started at first use.
    static let shared: Result<Guardian, SandboxError> = Result { () throws(SandboxError) in try Guardian() }

    static let markName = "CEPH_SANDBOX_OWNER"

    /// The value of the mark.
    let mark = randomUUID()
    /// A folder of mode 0700 that is removed at the end.
    let folder: String
    private let pid: pid_t
    private let socket: Mutex<Int32>

    private init() throws(SandboxError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        folder = "\(base.utf8.count > 40 || base.isEmpty || base.contains("\n") ? "/tmp" : base)/ceph-sandbox-\(randomName())"
        var ends: (ours: Int32, theirs: Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try withUnsafeMutableBytes(of: &ends) { bytes throws(SandboxError) in
            _ = try checked(socketpair(AF_UNIX, kind, 0, bytes.assumingMemoryBound(to: Int32.self).baseAddress), "socketpair")
        }
        let theirs = Descriptor(ends.theirs), null = try Descriptor.open("/dev/null", O_RDWR)
        let shell = Spawn(
            executable: "/bin/sh", arguments: ["-c", guardianScript, "ceph-sandbox-guardian", "\(Self.markName)=\(mark)", folder],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            input: theirs.number, output: theirs.number, error: null.number, ownSession: true)
        pid = try shell.start()
        socket = Mutex(ends.ours)
        guard Self.hearsReady(ends.ours) else {
            throw SandboxError(
                .systemCall, "Making the folder \(folder) failed.", advice: "Point TMPDIR to a folder that can be written to.")
        }
        atexit {
            if case .success(let guardian) = Guardian.shared { guardian.finish() }
        }
    }

    /// Reads the line `ready` to its end: a closed socket with unread bytes would look like a fault to the shell.
    private static func hearsReady(_ socket: Int32) -> Bool {
        var letter: UInt8 = 0
        while read(socket, &letter, 1) == 1 {
            if letter == UInt8(ascii: "\n") { return true }
        }
        return false
    }

    /// Notes a path that is about to be made, to be removed at the end.
    func watch(_ path: String) throws(SandboxError) { try tell("+\(path)") }

    /// Notes a folder, to be removed at the end if it is empty then.
    func watchEmpty(_ path: String) throws(SandboxError) { try tell("~\(path)") }

    /// Forgets a path that has been removed.
    func forget(_ path: String) throws(SandboxError) { try tell("-\(path)") }

    private func tell(_ line: String) throws(SandboxError) {
        guard !line.contains("\n") else { throw SandboxError(.invalidRequest, "The path \(line.dropFirst()) contains a line break.") }
        let bytes = Array("\(line)\n".utf8)
        let count = socket.withLock { send($0, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        guard count == bytes.count else { throw .systemCall("send", "to the guardian") }
    }

    /// Lets the guardian do its work and waits until it is done.
    private func finish() {
        socket.withLock { _ = close($0) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }
}

/// Arguments: the mark, the folder to make. Reads lines `+path`, `-path`, `~folder` until the end of its input.
private let guardianScript = """
    trap '' HUP INT QUIT TERM PIPE TSTP
    mark=$1 folder=$2
    umask 077
    mkdir -- "$folder" || exit 1
    echo ready
    exec >/dev/null
    set -- "$folder"
    while IFS= read -r line; do
        path=${line#?}
        case $line in
            "+"*) set -- "$@" "$path" ;;
            "~"*) set -- "$@" "$line" ;;
            "-"*) for known; do
                    shift
                    [ "$known" = "$path" ] || set -- "$@" "$known"
                done ;;
        esac
    done
    quiet=0 rounds=0
    while [ $quiet -lt 3 ] && [ $rounds -lt 300 ]; do
        rounds=$((rounds + 1)) found=
        for file in $(grep -alsF -- "$mark" /proc/[0-9]*/environ); do
            pid=${file#/proc/}
            found="$found ${pid%/environ}"
        done
        if [ -n "$found" ]; then quiet=0; kill -9 $found; else quiet=$((quiet + 1)); fi
        sleep 0.05
    done
    for path; do [ "${path#"~"}" != "$path" ] || rm -rf -- "$path"; done
    for path; do [ "${path#"~"}" = "$path" ] || rmdir -- "${path#"~"}"; done
    exit 0
    """
