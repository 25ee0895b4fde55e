internal import Glibc
internal import Synchronization

/// A listening UNIX socket and its file, which it removes when closed.
final class SocketFile: Sendable {
    let descriptor: Int32
    private let path: String
    private let identity: FileIdentity
    private let isClosed = Atomic(false)

    /// Binds and listens.
    ///
    /// A socket nobody listens on any more is replaced. The check and the replacement happen under a lock on
    /// the folder, so that two daemons starting at once cannot take it from each other.
    init(path: String, mode: UInt32) throws(AdminSocketError) {
        let lock = FolderLock(of: path)
        try Self.clearWay(path)
        let descriptor = try Self.call(path) { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExecNonBlocking, 0) }
        var isBound = false
        do throws(AdminSocketError) {
            try Self.call(path) { withSocketAddress(path) { bind(descriptor, $0, $1) } }
            isBound = true
            guard let identity = FileIdentity(path: path) else { throw AdminSocketError(.system, path: path, errno: ENOENT) }
            // Nobody can connect before listen(), so the mode holds from the first connection on.
            try Self.call(path) { chmod(path, mode) }
            try Self.call(path) { listen(descriptor, 16) }
            self.identity = identity
        } catch {
            Glibc.close(descriptor)
            if isBound { unlink(path) }
            throw error
        }
        self.descriptor = descriptor
        self.path = path
        lock.release()
    }

    deinit { close() }

    /// Stops listening and removes the file, unless another socket has taken its place.
    func close() {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        Glibc.close(descriptor)
        if FileIdentity(path: path) == identity { unlink(path) }
    }

    private static func clearWay(_ path: String) throws(AdminSocketError) {
        guard path.utf8.count <= maximumPathLength, !path.isEmpty else {
            throw AdminSocketError(.pathTooLong, path: path)
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw AdminSocketError(.notASocket, path: path) }
        let probe = try call(path) { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExecNonBlocking, 0) }
        defer { Glibc.close(probe) }
        let answer = withSocketAddress(path) { connect(probe, $0, $1) }
        // A full backlog (EAGAIN) is a busy process, not a dead one.
        if answer == 0 || errno == EAGAIN { throw AdminSocketError(.inUse, path: path) }
        guard errno == ECONNREFUSED else { throw AdminSocketError(.system, path: path, errno: errno) }
        try call(path) { unlink(path) }
    }

    @discardableResult
    private static func call(_ path: String, _ body: () -> Int32) throws(AdminSocketError) -> Int32 {
        let result = body()
        guard result >= 0 else { throw AdminSocketError(.system, path: path, errno: errno) }
        return result
    }
}

/// Which file a path names, so that another's is never removed.
private struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64

    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// An advisory lock on the folder a path lies in; none where the folder cannot be opened.
private struct FolderLock: ~Copyable {
    private let descriptor: Int32

    init(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor >= 0 { while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {} }
    }

    consuming func release() {}

    deinit { if descriptor >= 0 { close(descriptor) } }
}

let maximumPathLength = MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size - 1
private let closeOnExecNonBlocking = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

func withSocketAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}
