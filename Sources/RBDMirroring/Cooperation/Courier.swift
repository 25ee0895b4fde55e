internal import CephCore
internal import Glibc
internal import Logging
internal import Replication

/// Sends requests to the mailboxes of other daemons, and to our own, until they are answered.
struct Courier: Sendable {
    typealias Handler = @Sendable (_ sender: String, _ body: InstanceRequest.Body) async -> Int32

    let pool: Pool
    let own: String
    let timeout: Duration
    let logger: Logger
    /// Serves requests to ourselves, which need no mail.
    let handle: Handler
    private let lastID = Locked<UInt64>(0)

    init(pool: Pool, own: String, timeout: Duration, logger: Logger, handle: @escaping Handler) {
        self.pool = pool
        self.own = own
        self.timeout = timeout
        self.logger = logger
        self.handle = handle
    }

    /// Sends a request and awaits its result, 0 or a negative errno.
    ///
    /// A request without an answer is repeated under the same number, for as long as the task lives.
    /// - Throws: ``CephError``: `ENOENT` without a mailbox, `EINVAL` when nobody serves it; `CancellationError`.
    func send(_ body: InstanceRequest.Body, to instance: String) async throws -> Int32 {
        if instance == own { return await handle(own, body) }
        let request = InstanceRequest(id: nextID(), body: body)
        let mailbox = InstanceMailbox.name(of: instance)
        while true {
            try Task.checkCancellation()
            let started = ContinuousClock.now
            do throws(CephError) {
                let outcome = try await pool.notify(mailbox, request.encoded, timeout: timeout)
                if let result = result(of: request, in: outcome) { return result }
                guard !outcome.silent.isEmpty else {
                    throw CephError(code: EINVAL, operation: "notify", subject: mailbox)
                }
            } catch {
                guard error.isTimeout else { throw error }
            }
            logger.debug("no answer from another daemon yet", metadata: ["mirror.instance": "\(instance)", "request": "\(request.id)"])
            try await Task.sleep(until: started + .milliseconds(100), clock: .continuous)
        }
    }

    private func nextID() -> UInt64 {
        lastID.withLock { id in
            id += 1
            return id
        }
    }

    /// The answer among the acknowledgements; those of others, and empty ones, are none.
    private func result(of request: InstanceRequest, in outcome: NotifyOutcome) -> Int32? {
        for reply in outcome.replies {
            guard let answer = try? InstanceReply(encoded: reply.payload), answer.requester == own, answer.requestID == request.id
            else { continue }
            return answer.result
        }
        return nil
    }
}
