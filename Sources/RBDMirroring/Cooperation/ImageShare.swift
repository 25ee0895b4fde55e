internal import CephCore
internal import Glibc
internal import Logging
internal import Replication

/// This daemon's share of the images of a pool or namespace.
///
/// Made by ``Cooperator``. The engine is told through its ``ImageOwner`` what to serve, hands in what images there are, and
/// asks here before each sync.
public actor ImageShare {
    /// Empty for the default namespace.
    public nonisolated let namespace: String
    let pool: Pool
    private let owner: any ImageOwner
    private let configuration: CooperationConfiguration
    private let desk: SyncDesk
    private let logger: Logger
    private let mailbox: InstanceMailbox
    private let courier: Courier
    private let syncs: SyncRequests
    private nonisolated let leader: Latest<String?>
    private var keeper: ImageMapKeeper?
    private var sets: (local: Set<String>?, remote: Set<String>?) = (nil, nil)
    private var held: Set<String> = []
    private var lines: [String: (number: Int, last: Task<Void, Never>)] = [:]
    private var lastNumber = 0
    private var isClosing = false
    private var hasUnansweredChange = false

    init(
        pool: Pool, owner: any ImageOwner, configuration: CooperationConfiguration, identity: DaemonIdentity,
        leader: Latest<String?>, desk: SyncDesk, logger: Logger, onLoss: @escaping @Sendable (CephError) -> Void
    ) {
        namespace = pool.namespace
        self.pool = pool
        self.owner = owner
        self.leader = leader
        self.configuration = configuration
        self.desk = desk
        self.logger = logger
        let own = String(pool.cluster.globalID)
        let door = Door()
        let serve: Courier.Handler = { sender, body in await door.share?.serve(sender, body) ?? -ESTALE }
        mailbox = InstanceMailbox(pool: pool, own: own, identity: identity, logger: logger, handle: serve, onLoss: onLoss)
        courier = Courier(pool: pool, own: own, timeout: configuration.notifyTimeout, logger: logger, handle: serve)
        syncs = SyncRequests(leader: leader, courier: courier, retryInterval: configuration.assignment.retryInterval)
        door.share = self
    }

    /// Whether this daemon leads the pool.
    nonisolated var isLeader: Bool { leader.value == String(pool.cluster.globalID) }

    /// Calls back whenever another daemon leads, until cancelled.
    nonisolated func followLeader(_ onChange: @Sendable () -> Void) async {
        var known = leader.value
        while !Task.isCancelled {
            await leader.change(from: known)
            known = leader.value
            onChange()
        }
    }

    /// The images this daemon serves.
    public var images: Set<String> { held }

    /// Waits for the leader's permission to sync an image.
    ///
    /// At most so many syncs run in a pool at once. Without a leader, or when the leader goes, this goes on waiting for the next one.
    ///
    /// - Parameter syncID: The local image id.
    /// - Throws: `CancellationError` when the task is cancelled.
    public nonisolated func requestSync(_ syncID: String) async throws(CancellationError) -> SyncPermit {
        try await syncs.request(syncID)
    }

    /// Hands in the global ids of the mirrored images of both sides.
    ///
    /// Every daemon does so; that of the leader counts. An image is given up only when both sides are known and neither has it.
    /// - Parameters:
    ///   - local: Nil while not known.
    ///   - remote: Nil while not known, as long as the peer cannot be reached.
    public func imagesChanged(local: Set<String>?, remote: Set<String>?) async {
        sets = (local, remote)
        await keeper?.imagesChanged(local: local, remote: remote)
    }

    /// A change of an image was not answered and may still be applied: the mailbox stays locked, so that others fence this client
    /// before they take its images.
    func mustBeFenced() { hasUnansweredChange = true }

    /// Passes on that the peer has removed an image; does nothing while another daemon leads.
    public func peerImageRemoved(globalID: String, mirrorUUID: String) async {
        await keeper?.peerImageRemoved(globalID, mirrorUUID: mirrorUUID)
    }
}

/// Leads from the mailbox to the share without holding it.
private final class Door: Sendable {
    private struct Reference: Sendable { weak var share: ImageShare? }
    private let reference = Locked(Reference())
    var share: ImageShare? {
        get { reference.withLock(\.share) }
        set { reference.withLock { $0.share = newValue } }
    }
}

extension ImageShare {
    func open() async throws { try await mailbox.open() }

    /// Stops serving.
    ///
    /// What has not stopped when time is up may still write: then the mailbox stays locked until others have fenced us.
    /// - Returns: Whether this daemon left in good order.
    func close(by deadline: ContinuousClock.Instant) async -> Bool {
        isClosing = true
        await resign()
        let left = { max(.seconds(1), ContinuousClock.now.duration(to: deadline)) }
        do {
            try await withDeadline(left(), for: "stopping images") { await self.releaseAll() }
            guard !hasUnansweredChange else { throw UnansweredChange() }
            try await withDeadline(left(), for: "closing the mailbox") { try await self.mailbox.close() }
            return true
        } catch {
            logger.notice("mailbox left behind, to be fenced by others", metadata: ["error": "\(error)"])
            await abandon()
            return false
        }
    }

    private struct UnansweredChange: Error, CustomStringConvertible {
        var description: String { "a change of an image was not answered and may still be applied" }
    }

    /// Stops listening, without a word to the cluster.
    func abandon() async {
        isClosing = true
        _ = try? await withDeadline(.seconds(1), for: "ending a watch") { await self.mailbox.abandon() }
    }

    private func releaseAll() async {
        await withTaskGroup { group in
            for globalID in held {
                group.addTask { await self.inLine(globalID) { share in await share.release(globalID) } }
            }
        }
    }

    /// The client is of no use any more: the engine stops, nothing is sent.
    func contactLost(_ loss: ContactLoss) async {
        isClosing = true
        await keeper?.stop()
        keeper = nil
        await owner.contactLost(loss)
    }

    // MARK: Requests from other daemons, and from ourselves

    private func serve(_ sender: String, _ body: InstanceRequest.Body) async -> Int32 {
        switch body {
        case .acquireImage(let globalID):
            guard !isClosing else { return -ESHUTDOWN }
            if let refusal = await refusal(of: globalID, from: sender) { return refusal }
            await inLine(globalID) { share in await share.acquire(globalID) }
            return 0
        case .releaseImage(let globalID):
            await inLine(globalID) { share in await share.release(globalID) }
            return 0
        case .peerRemovedImage(let globalID, let mirrorUUID):
            await inLine(globalID) { [owner] _ in await owner.peerImageRemoved(globalID: globalID, mirrorUUID: mirrorUUID) }
            return 0
        case .requestSync(let id):
            return await desk.request(.init(instance: sender, namespace: namespace, id: id), by: courier) ? 0 : -ESTALE
        case .startSync(let id):
            await syncs.started(id)
            return 0
        case .unknown: return -EOPNOTSUPP
        }
    }

    /// Why an image is not taken: two daemons must not serve one, whoever says so. A leader writes its map before it asks.
    private func refusal(of globalID: String, from sender: String) async -> Int32? {
        let own = String(pool.cluster.globalID)
        guard sender != own else { return nil }
        do throws(CephError) {
            let holder = try await LeaderObject(pool: pool).holder(of: globalID)
            guard holder != own else { return nil }
            logger.warning("refused an image that the map gives to another daemon", metadata: [
                "rbd.image": "\(globalID)", "mirror.instance": "\(holder ?? "none")", "sender": "\(sender)",
            ])
            return -ESTALE
        } catch { return -error.code }
    }

    private func acquire(_ globalID: String) async {
        guard !isClosing else { return }
        held.insert(globalID)
        await owner.acquire(globalID: globalID)
    }

    private func release(_ globalID: String) async {
        await owner.release(globalID: globalID)
        held.remove(globalID)
    }

    /// Runs calls for one image one after the other.
    private func inLine(_ globalID: String, _ body: @escaping @Sendable (ImageShare) async -> Void) async {
        let previous = lines[globalID]?.last
        lastNumber += 1
        let number = lastNumber
        let task = Task {
            await previous?.value
            await body(self)
        }
        lines[globalID] = (number, task)
        await task.value
        if lines[globalID]?.number == number { lines[globalID] = nil }
    }

    // MARK: Leading

    func lead(live: Set<String>, awaited: Set<String>, fence: @escaping @Sendable (String) async throws -> Void) async {
        await keeper?.stop()
        guard !isClosing else { return }
        let keeper = ImageMapKeeper(
            pool: pool, courier: courier, settings: configuration.assignment, live: live, awaited: awaited,
            local: sets.local, remote: sets.remote, logger: logger, fence: fence)
        self.keeper = keeper
        await keeper.begin()
    }

    func resign() async {
        await keeper?.stop()
        keeper = nil
    }

    func added(_ instances: Set<String>) async { await keeper?.added(instances) }
    func awaiting(_ instances: Set<String>) async { await keeper?.awaiting(instances) }
    func removed(_ instance: String) async { await keeper?.removed(instance) }
    func count(of instance: String) async -> Int? { await keeper?.count(of: instance) }
}
