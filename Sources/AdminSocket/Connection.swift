internal import Glibc

/// One client: its request as it comes in, the command that runs for it, its reply as it goes out.
///
/// Used by the socket's thread alone.
final class Connection {
    enum Phase {
        case reading
        case running(Task<Void, Never>, ReplyFormat)
        case writing
        case finished
    }

    let id: UInt64
    let descriptor: Int32
    private(set) var phase = Phase.reading
    private(set) var deadline: ContinuousClock.Instant
    private var frame: RequestFrame
    private var output: [UInt8] = []
    private var sent = 0
    private let limits: AdminSocketLimits

    init(id: UInt64, descriptor: Int32, limits: AdminSocketLimits) {
        self.id = id
        self.descriptor = descriptor
        self.limits = limits
        frame = RequestFrame(limit: limits.requestBytes)
        deadline = .now + limits.transfer
    }

    deinit {
        finish()
        close(descriptor)
    }

    /// What to ask `poll` for; hang-ups and errors are always reported.
    var interest: Int16 {
        switch phase {
        case .reading: Int16(POLLIN)
        case .writing: Int16(POLLOUT)
        case .running, .finished: 0
        }
    }

    var isFinished: Bool { if case .finished = phase { true } else { false } }

    var isRunning: Bool { if case .running = phase { true } else { false } }

    /// Takes in what the client sent and hands back the request once it is whole.
    func receive() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else {
            if count == 0 || !isTransient(errno) { finish() }
            return nil
        }
        switch frame.append(chunk[..<count]) {
        case .incomplete: return nil
        case .tooLong:
            finish()
            return nil
        case .complete(let request): return request
        }
    }

    func run(_ task: Task<Void, Never>, _ format: ReplyFormat) {
        phase = .running(task, format)
        deadline = .now + limits.command
    }

    func reply(_ bytes: [UInt8]) {
        output = bytes
        phase = .writing
        deadline = .now + limits.transfer
        send()
    }

    func send() {
        let count = output.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
        }
        if count < 0 {
            if !isTransient(errno) { finish() }
            return
        }
        sent += count
        guard sent == output.count else { return }
        // Closing over unread bytes would reset the connection before the client has read its reply.
        var rest = [UInt8](repeating: 0, count: 16 << 10)
        _ = recv(descriptor, &rest, rest.count, 0)
        finish()
    }

    /// The deadline has passed: a command is given up with an answer, a slow client without.
    func expire() {
        guard case .running(let task, let format) = phase else { return finish() }
        task.cancel()
        reply(AdminReply.failure(ETIMEDOUT, "the command did not finish within its deadline").frame(format))
    }

    /// Ends the connection; a command still running for it is cancelled.
    func finish() {
        if case .running(let task, _) = phase { task.cancel() }
        phase = .finished
    }
}

private func isTransient(_ code: Int32) -> Bool {
    code == EAGAIN || code == EINTR
}
