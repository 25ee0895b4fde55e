internal import Glibc

/// Where lines end up. Nothing here fails towards the caller: a log that cannot be written does not stop a daemon.
struct LogFile {
    private let path: String?
    private let allToStandardError: Bool
    private let errorsToStandardError: Bool
    private var descriptor: Int32 = -1
    private var lost = 0

    init(path: String?, allToStandardError: Bool, errorsToStandardError: Bool) {
        self.path = path
        self.allToStandardError = allToStandardError
        self.errorsToStandardError = errorsToStandardError
        reopen()
    }

    /// Opens the file anew, so that one moved away is let go; keeps the old one if that fails.
    mutating func reopen() {
        guard let path else { return }
        let opened = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard opened >= 0 else {
            complain("log file \(path): \(String(cString: strerror(errno)))")
            return
        }
        if descriptor >= 0 { close(descriptor) }
        descriptor = opened
    }

    /// Hands the file to the user the daemon will run as.
    func giveTo(user: uid_t, group: gid_t) {
        if descriptor >= 0, fchown(descriptor, user, group) != 0, let path {
            complain("log file \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Writes lines in one go; `lost` are those that never got here.
    mutating func write(_ lines: [(text: String, isError: Bool)], lost dropped: Int) {
        lost += dropped
        var text = lines.map(\.text).joined()
        if lost > 0, descriptor >= 0 { text += "\(WallTime.now) warning log: \(lost) lines lost\n" }
        if descriptor >= 0, !text.isEmpty {
            if writeAll(descriptor, text) { lost = 0 } else { lost += lines.count }
        }
        let shown = lines.filter { allToStandardError || (errorsToStandardError && $0.isError) }.map(\.text).joined()
        if !shown.isEmpty { _ = writeAll(STDERR_FILENO, shown) }
    }

    mutating func shut() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func complain(_ sentence: String) { _ = writeAll(STDERR_FILENO, sentence + "\n") }
}

private func writeAll(_ descriptor: Int32, _ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0, errno != EINTR { return false }
            written += max(count, 0)
        }
        return true
    }
}

/// Makes a write to a pipe nobody reads fail on this thread, where it would end the process.
func ignoreBrokenPipes() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
}
