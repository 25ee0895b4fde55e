public import CephCore
public import Logging
internal import Glibc
internal import Replication

/// Shares the images of a pool with other mirror daemons, ours and stock's alike.
///
///     let cooperator = Cooperator(
///         pool: pool, configuration: .init(optionsOf: cluster), identity: .current(daemon: "mirror.a"), logger: logger)
///     let share = try await cooperator.start(owner)
///     await share.imagesChanged(local: here, remote: there)
///     …
///     await cooperator.stop()
///
/// The daemons of a pool elect a leader, who assigns images to all of them. Each is known by the global id of its client, so
/// a pool needs a client of its own. Once contact is lost neither the cooperator nor the client can be used again.
public actor Cooperator {
    /// How the other daemons know this one.
    public nonisolated let instanceID: String
    /// What happens; buffers the newest 256 events.
    public nonisolated let events: AsyncStream<CooperationEvent>
    private nonisolated let leaderNow = Latest<String?>(nil)
    private let pool: Pool
    private let configuration: CooperationConfiguration
    private let identity: DaemonIdentity
    private let logger: Logger
    private let sink: AsyncStream<CooperationEvent>.Continuation
    private let leadership: Leadership
    private let desk: SyncDesk
    private var shares: [String: ImageShare] = [:]
    /// Who is up and who may be, while leading.
    private var term: (live: Set<String>, awaited: Set<String>)?
    private var phase = Phase.fresh

    private enum Phase { case fresh, running, lost, stopped }

    /// - Parameters:
    ///   - pool: The pool, seen in its default namespace.
    ///   - identity: Lets this daemon's next run on this host take over at once when this one dies.
    public init(pool: Pool, configuration: CooperationConfiguration, identity: DaemonIdentity, logger: Logger) {
        precondition(pool.namespace.isEmpty, "the daemons of a pool meet in its default namespace")
        var logger = logger
        logger[metadataKey: "ceph.pool"] = "\(pool.name)"
        self.pool = pool
        self.configuration = configuration
        self.identity = identity
        self.logger = logger
        instanceID = String(pool.cluster.globalID)
        desk = SyncDesk(limit: configuration.concurrentSyncs)
        leadership = Leadership(pool: pool, identity: identity, configuration: configuration, logger: logger)
        (events, sink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    /// The instance id of the daemon that leads, as far as known.
    public nonisolated var leader: String? { leaderNow.value }
    public nonisolated var isLeader: Bool { leaderNow.value == instanceID }

    /// The instance ids of all daemons that are up, this one's included; empty unless it leads.
    public var instances: [String] { term.map { $0.live.sorted() } ?? [] }
    /// How many syncs the leader lets run at once.
    public nonisolated var concurrentSyncs: Int { configuration.concurrentSyncs }

    /// Fences what an earlier run has left, takes part, and serves the default namespace.
    ///
    /// - Throws: ``CephError``; nothing is left behind then.
    public func start(_ owner: any ImageOwner) async throws -> ImageShare {
        precondition(phase == .fresh, "a cooperator starts once")
        LiveClients.add(pool.cluster.globalID)
        phase = .running
        do {
            try await LeaderObject(pool: pool).create()
            let share = try await join("", owner)
            try await leadership.start(self)
            return share
        } catch {
            await stop()
            throw error
        }
    }

    /// Serves another namespace of the pool too.
    ///
    /// - Throws: ``CephError``, `EEXIST` for one that is served; `ESHUTDOWN` when this daemon does not take part (any more).
    public func join(_ namespace: String, _ owner: any ImageOwner) async throws -> ImageShare {
        guard phase == .running else { throw CephError(code: ESHUTDOWN, operation: "join", subject: pool.name) }
        guard shares[namespace] == nil else { throw CephError(code: EEXIST, operation: "join", subject: namespace) }
        let view = try pool.inNamespace(namespace)
        if !namespace.isEmpty { try await LeaderObject(pool: view).create() }
        let fenced = try await PredecessorFence(pool: view, identity: identity, fence: fence).run()
        if !fenced.isEmpty { logger.notice("fenced an earlier run of this daemon", metadata: ["mirror.instances": "\(fenced)"]) }
        let share = ImageShare(
            pool: view, owner: owner, configuration: configuration, identity: identity, leader: leaderNow, desk: desk,
            logger: logger
        ) { [weak self] error in
            Task { await self?.lose(error.isBlocklisted ? .blocklisted : .removed) }
        }
        shares[namespace] = share
        do { try await share.open() } catch {
            shares[namespace] = nil
            throw error
        }
        if let term { await lead(share, term.live, term.awaited) }
        return share
    }

    /// Stops serving a namespace; false when something in it did not stop in time.
    @discardableResult
    public func leave(_ namespace: String, within limit: Duration = .seconds(10)) async -> Bool {
        guard let share = shares.removeValue(forKey: namespace) else { return true }
        return await share.close(by: .now + limit)
    }

    /// Gives leadership, if held, to whoever is next; this daemon goes on as one of the others.
    public func releaseLeadership() async { await leadership.release() }

    /// Stops taking part: hands leadership over, releases all images, closes the mailboxes.
    ///
    /// Returns within the limit (and a second or two) whatever the cluster does. An image that does not stop in time stays ours for
    /// the others until they have fenced this client.
    public func stop(within limit: Duration = .seconds(10)) async {
        guard phase == .running || phase == .lost else { return }
        let wasLost = phase == .lost
        phase = .stopped
        let deadline = ContinuousClock.now + limit
        if wasLost {
            _ = try? await withDeadline(.seconds(1), for: "ending a watch") { await self.leadership.abandon() }
        } else {
            _ = try? await withDeadline(limit / 2, for: "leaving the election") { await self.leadership.stop() }
        }
        await withTaskGroup { group in
            for share in shares.values {
                group.addTask { if wasLost { await share.abandon() } else { _ = await share.close(by: deadline) } }
            }
        }
        shares = [:]
        LiveClients.remove(pool.cluster.globalID)
        sink.finish()
    }

    private var fence: InstanceFence { InstanceFence(duration: configuration.fenceDuration) }

    private func lead(_ share: ImageShare, _ live: Set<String>, _ awaited: Set<String>) async {
        await share.lead(live: live, awaited: awaited) { [weak self] in try await self?.fence(instance: $0) }
    }

    private func lose(_ loss: ContactLoss) async {
        guard phase == .running else { return }
        phase = .lost
        await leadership.end()
        await contactLost(loss, shares)
    }

    private func contactLost(_ loss: ContactLoss, _ shares: [String: ImageShare]) async {
        term = nil
        leaderNow.value = nil
        await desk.close()
        sink.yield(CooperationEvent(kind: .contactLost(loss)))
        await withTaskGroup { group in
            for share in shares.values { group.addTask { await share.contactLost(loss) } }
        }
    }
}

extension Cooperator: LeadershipDelegate {
    func lead(live: Set<String>, awaited: Set<String>) async {
        guard phase == .running else { return }
        term = (live, awaited)
        await desk.open()
        for share in shares.values { await lead(share, live, awaited) }
        sink.yield(CooperationEvent(kind: .leading))
    }

    func resign() async {
        term = nil
        await desk.close()
        for share in shares.values { await share.resign() }
        sink.yield(CooperationEvent(kind: .following(leader: nil)))
    }

    func instancesAdded(_ instances: Set<String>) async {
        term?.live.formUnion(instances)
        term?.awaited.subtract(instances)
        for share in shares.values { await share.added(instances) }
    }

    func instancesAwaited(_ instances: Set<String>) async {
        term?.awaited.formUnion(instances)
        for share in shares.values { await share.awaiting(instances) }
    }

    func fence(instance: String) async throws {
        try await fence.fence(instance: instance, in: shares.values.map(\.pool))
    }

    func instanceRemoved(_ instance: String) async {
        term?.live.remove(instance)
        term?.awaited.remove(instance)
        await desk.removed(instance: instance)
        for share in shares.values { await share.removed(instance) }
    }

    func leaderChanged(_ leader: String?) async {
        guard phase == .running else { return }
        leaderNow.value = leader
        if leader != instanceID { sink.yield(CooperationEvent(kind: .following(leader: leader))) }
    }

    func contactLost(_ loss: ContactLoss) async { await lose(loss) }
}
