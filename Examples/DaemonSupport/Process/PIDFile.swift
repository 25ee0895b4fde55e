internal import Glibc
internal import Synchronization

/// A file with the process id, locked as Ceph's daemons lock theirs, so that one daemon a file runs.
public final class PIDFile: Sendable {
    private let path: String
    private let descriptor: Mutex<Int32?>

    /// Creates, locks and writes the file. One left behind by a dead process is taken over.
    public convenience init(path: String) throws(ProcessError) { try self.init(path: path, owner: nil) }

    init(path: String, owner: Identity?) throws(ProcessError) {
        let descriptor = try Self.lockedFile(path)
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0, text.withCString({ write(descriptor, $0, text.utf8.count) }) == text.utf8.count
        else {
            let code = errno
            close(descriptor)
            throw ProcessError("pid file \(path)", errno: code)
        }
        if let owner { _ = fchown(descriptor, owner.user, owner.group) }
        self.path = path
        self.descriptor = Mutex(descriptor)
    }

    deinit { remove() }

    /// Removes the file, if it is still this process's, and lets go of the lock.
    public func remove() {
        guard let descriptor = descriptor.withLock({ $0.take() }) else { return }
        if Self.isSameFile(descriptor, path) { unlink(path) }
        close(descriptor)
    }

    private static func lockedFile(_ path: String) throws(ProcessError) -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw ProcessError("pid file \(path)", errno: errno) }
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            lock.l_whence = Int16(SEEK_SET)
            guard fcntl(descriptor, F_SETLK, &lock) == 0 else {
                let code = errno
                close(descriptor)
                if code == EAGAIN || code == EACCES { throw ProcessError("pid file \(path): another process holds it", errno: 0) }
                throw ProcessError("pid file \(path)", errno: code)
            }
            // Its last owner may have removed it between open and lock.
            if isSameFile(descriptor, path) { return descriptor }
            close(descriptor)
        }
    }

    private static func isSameFile(_ descriptor: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }
}
