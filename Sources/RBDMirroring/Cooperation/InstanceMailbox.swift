internal import CephCore
internal import Glibc
internal import Logging

/// One daemon's mailbox in one namespace: a watched and locked object where the others reach it.
///
/// The lock tells that the daemon may be at work: it is given back only when nothing is, and else broken by
/// others after they have fenced this client.
actor InstanceMailbox {
    private typealias Ledger = RequestLedger<CephCore.Notification>

    private let pool: Pool
    private let own: String
    private let identity: String
    private let logger: Logger
    private let handle: Courier.Handler
    private let onLoss: @Sendable (CephError) -> Void
    private var object: GuardedObject?
    private var listener: Task<Void, Never>?
    private var ledger = Ledger()
    private var work: [Ledger.Key: Task<Void, Never>] = [:]
    private var isClosing = false

    static func name(of instance: String) -> String { "rbd_mirror_instance.\(instance)" }

    /// - Parameter onLoss: Called when the mailbox is gone: this client was fenced.
    init(
        pool: Pool, own: String, identity: DaemonIdentity, logger: Logger, handle: @escaping Courier.Handler,
        onLoss: @escaping @Sendable (CephError) -> Void
    ) {
        self.pool = pool
        self.own = own
        self.identity = identity.description
        self.logger = logger
        self.handle = handle
        self.onLoss = onLoss
    }

    /// Registers the daemon and opens its mailbox; leaves nothing behind when it fails.
    func open() async throws {
        let leaderObject = LeaderObject(pool: pool)
        try await leaderObject.addInstance(own)
        do {
            var operation = WriteOperation()
            operation.create(exclusive: true)
            try await pool.apply(operation, to: Self.name(of: own))
            let object = try await GuardedObject(watching: Self.name(of: own), in: pool, identity: identity) { _ in .later }
            self.object = object
            listener = Task { [weak self] in
                for await event in object.watch.events { await self?.happened(event.kind) }
            }
            guard try await object.tryLock() == .locked else {
                throw CephError(code: EBUSY, operation: "lock.lock", subject: Self.name(of: own))
            }
        } catch {
            try? await close()
            throw error
        }
    }

    /// Closes the mailbox and takes the daemon off the list. Nothing may be at work any more.
    ///
    /// The lock goes with the object, and both changes are sent before either is answered: a cluster that answers too late has
    /// all of it or nothing, and nothing is what a successor on this host recognises.
    func close() async throws {
        await stopServing()
        async let mailbox = pool.removeIfExists(Self.name(of: own))
        async let registration: Void = LeaderObject(pool: pool).removeInstance(own)
        _ = try await (mailbox, registration)
        await object?.watch.cancel()
    }

    /// Stops listening and leaves the lock: to the others this daemon is dead until they have fenced it.
    func abandon() async {
        await stopServing()
        await object?.watch.cancel()
    }

    private func stopServing() async {
        isClosing = true
        listener?.cancel()
        for task in work.values { task.cancel() }
    }

    private func happened(_ event: WatchEvent.Kind) async {
        guard !isClosing else { return }
        switch event {
        case .notified(let notification): received(notification)
        case .interrupted(let error): logger.info("mailbox interrupted", metadata: ["error": "\(error)"])
        case .resumed:
            do throws(CephError) { try await object?.renewLock() } catch {
                if error.isNotFound || error.isBusy || error.isBlocklisted { onLoss(error) }
            }
        case .lost(let error): onLoss(error)
        }
    }

    private func received(_ notification: CephCore.Notification) {
        guard let request = try? InstanceRequest(encoded: notification.payload) else { return notification.acknowledge() }
        let key = Ledger.Key(instance: String(notification.notifier), requestID: request.id)
        switch ledger.arrived(key, notification) {
        case .new:
            work[key] = Task { [weak self, handle] in
                let result = await handle(key.instance, request.body)
                await self?.finish(key, result)
            }
        case .repeated: break
        case .answered(let result): notification.acknowledge(Self.reply(key, result))
        }
    }

    private func finish(_ key: Ledger.Key, _ result: Int32) {
        work[key] = nil
        ledger.finished(key, result: result)?.acknowledge(Self.reply(key, result))
    }

    private static func reply(_ key: Ledger.Key, _ result: Int32) -> [UInt8] {
        InstanceReply(requester: key.instance, requestID: key.requestID, result: result).encoded
    }
}
