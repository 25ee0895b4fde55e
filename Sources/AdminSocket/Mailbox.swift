internal import Glibc
internal import Synchronization

/// What other threads leave for the socket's thread: finished replies and the wish to stop.
final class Mailbox: Sendable {
    struct Letter: Sendable {
        let connection: UInt64
        let bytes: [UInt8]
    }
    private struct State {
        var letters: [Letter] = []
        var isStopped = false
    }

    /// Readable while something is waiting.
    let descriptor: Int32
    private let writer: Int32
    private let state = Mutex(State())

    init() throws(AdminSocketError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw AdminSocketError(.system, path: "", errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    func post(_ letter: Letter) {
        state.withLock { $0.letters.append(letter) }
        wake()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    func collect() -> (letters: [Letter], isStopped: Bool) {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
        return state.withLock { state in
            defer { state.letters = [] }
            return (state.letters, state.isStopped)
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }
}
