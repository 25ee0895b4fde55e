internal import Glibc

/// The life of the socket's thread: it owns the socket and every connection, and waits for all of them in one place.
final class SocketLoop {
    private let socket: SocketFile
    private let mailbox: Mailbox
    private let limits: AdminSocketLimits
    private let registry: CommandRegistry
    private var connections: [Connection] = []
    private var nextID: UInt64 = 0
    private var acceptAgain = ContinuousClock.now

    init(socket: SocketFile, mailbox: Mailbox, limits: AdminSocketLimits, registry: CommandRegistry) {
        self.socket = socket
        self.mailbox = mailbox
        self.limits = limits
        self.registry = registry
    }

    /// Serves until the mailbox says stop, then closes everything.
    func run() {
        while true {
            var polled = interests()
            _ = poll(&polled, nfds_t(polled.count), timeout())
            let (letters, isStopped) = mailbox.collect()
            if isStopped { break }
            for letter in letters { deliver(letter) }
            for (connection, entry) in zip(connections, polled.dropFirst(2)) { serve(connection, entry.revents) }
            if polled[1].revents != 0 { accept() }
            connections.removeAll(where: \.isFinished)
        }
        connections = []
        socket.close()
    }

    private func interests() -> [pollfd] {
        let accepts = connections.count < limits.connections && acceptAgain <= .now
        var list = [
            pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: accepts ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        list += connections.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
        return list
    }

    /// Milliseconds to the next deadline, -1 for none.
    private func timeout() -> Int32 {
        let now = ContinuousClock.now
        let moments = connections.map(\.deadline) + (acceptAgain > now ? [acceptAgain] : [])
        guard let next = moments.min() else { return -1 }
        let left = max(next - now, .zero)
        return Int32(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
    }

    private func deliver(_ letter: Mailbox.Letter) {
        guard let connection = connections.first(where: { $0.id == letter.connection }), connection.isRunning else { return }
        connection.reply(letter.bytes)
    }

    private func serve(_ connection: Connection, _ ready: Int16) {
        if ready & Int16(POLLIN) != 0 {
            if let request = connection.receive() { start(connection, request) }
        } else if ready & Int16(POLLOUT) != 0 {
            connection.send()
        } else if ready != 0 {
            connection.finish()
        }
        if !connection.isFinished, connection.deadline <= .now { connection.expire() }
    }

    private func start(_ connection: Connection, _ request: [UInt8]) {
        switch registry.table.match(request) {
        case .refuse(let reply):
            connection.reply(reply.frame(.pretty))
        case .run(let command, let request, let format):
            let id = connection.id
            let mailbox = mailbox
            let task = Task.detached {
                let reply = await command.run(request)
                mailbox.post(.init(connection: id, bytes: reply.frame(format)))
            }
            connection.run(task, format)
        }
    }

    private func accept() {
        let descriptor = Glibc.accept(socket.descriptor, nil, nil)
        guard descriptor >= 0 else {
            // Out of descriptors, most likely: the listening socket stays ready, so pause instead of spinning.
            if errno != EAGAIN && errno != EINTR && errno != ECONNABORTED { acceptAgain = .now + .seconds(1) }
            return
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        nextID += 1
        connections.append(Connection(id: nextID, descriptor: descriptor, limits: limits))
    }
}
