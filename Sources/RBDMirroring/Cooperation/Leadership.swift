internal import CephCore
internal import Glibc
internal import Logging
internal import RBDImage

/// What leadership asks of, and tells, the rest of the daemon.
protocol LeadershipDelegate: AnyObject, Sendable {
    /// This daemon leads: `live` are the daemons that are up, `awaited` those that may be.
    func lead(live: Set<String>, awaited: Set<String>) async
    /// It does not lead any more; returns when nothing of it is under way.
    func resign() async
    func instancesAdded(_ instances: Set<String>) async
    func instancesAwaited(_ instances: Set<String>) async
    /// Fences a daemon and removes what it has left, in all namespaces.
    func fence(instance: String) async throws
    /// A daemon is gone and fenced.
    func instanceRemoved(_ instance: String) async
    func leaderChanged(_ leader: String?) async
    func contactLost(_ loss: ContactLoss) async
}

/// One daemon's part in the election of a pool's leader, and the leader's watch over the others.
actor Leadership {
    let pool: Pool
    let identity: DaemonIdentity
    let configuration: CooperationConfiguration
    let logger: Logger
    weak var delegate: (any LeadershipDelegate)?

    var election: LeaderElection
    var object: GuardedObject?
    /// Who is alive; only while leading.
    var roster: InstanceRoster?
    /// Leaders that were fenced: dead for certain, whatever else they have left.
    var fencedLeaders: Set<String> = []
    /// Daemons being fenced.
    var fencing: Set<String> = []
    private let start = ContinuousClock.now
    private var listener: Task<Void, Never>?
    private var timer: Task<Void, Never>?
    private var attempt: Task<Void, Never>?
    /// The leader's duties, one after the other.
    private var duties: Task<Void, Never>?
    private var isStopped = false

    init(pool: Pool, identity: DaemonIdentity, configuration: CooperationConfiguration, logger: Logger) {
        self.pool = pool
        self.identity = identity
        self.configuration = configuration
        self.logger = logger
        election = LeaderElection(own: pool.cluster.globalID, timing: configuration.timing)
    }

    var own: UInt64 { election.own }
    var now: Duration { start.duration(to: .now) }

    /// Watches the leader object and stands for election. The mailbox must be open: who watches gets images.
    func start(_ delegate: any LeadershipDelegate) async throws {
        self.delegate = delegate
        let object = try await GuardedObject(
            watching: LeaderObject.name, in: pool, identity: identity.description) { _ in .now() }
        self.object = object
        listener = Task { [weak self] in
            for await event in object.watch.events { await self?.happened(event.kind) }
        }
        post(.started)
    }

    /// Gives leadership to whoever is next, and follows.
    func release() async {
        guard election.isLeader, !isStopped else { return }
        post(.lockLost)
        enqueue { leadership in
            try? await leadership.object?.unlock()
            _ = try? await leadership.pool.notify(LeaderObject.name, LeaderMessage.released.encoded, timeout: .seconds(1))
        }
        await duties?.value
    }

    /// Gives up leadership, if held, and leaves; harmless after a loss of contact.
    func stop() async {
        let wasLeader = election.isLeader
        end()
        await attempt?.value
        await duties?.value
        if wasLeader { await delegate?.resign() }
        do throws(CephError) { try await object?.unlock() } catch {
            logger.info("leader lock left behind", metadata: ["error": "\(error)"])
        }
        if wasLeader { _ = try? await pool.notify(LeaderObject.name, LeaderMessage.released.encoded, timeout: .seconds(1)) }
        await object?.watch.cancel()
    }

    /// Leaves without a word to the cluster.
    func abandon() async {
        end()
        await object?.watch.cancel()
    }

    /// Stops taking part.
    func end() {
        isStopped = true
        listener?.cancel()
        timer?.cancel()
        _ = election.handle(.stopped, at: now)
    }
}

extension Leadership {
    private func happened(_ event: WatchEvent.Kind) {
        switch event {
        case .notified(let notification):
            guard notification.notifier != own, let message = try? LeaderMessage(encoded: notification.payload) else { return }
            post(.heard(message, from: notification.notifier))
        case .interrupted(let error):
            logger.info("leader watch interrupted", metadata: ["error": "\(error)"])
            post(.interrupted)
        case .resumed:
            post(.resumed)
            if election.isLeader { verifyLock() }
        case .lost(let error): lose(error.isBlocklisted ? .blocklisted : .removed)
        }
    }

    /// Hands an input to the election and does what comes out.
    func post(_ input: LeaderElection.Input) {
        guard !isStopped else { return }
        let leader = election.leader
        let outputs = election.handle(input, at: now)
        if election.leader != leader { tellLeader(election.leader) }
        for output in outputs { perform(output) }
        armTimer()
    }

    private func tellLeader(_ leader: UInt64?) {
        let id = leader.map(String.init)
        enqueue { leadership in await leadership.delegate?.leaderChanged(id) }
    }

    private func armTimer() {
        timer?.cancel()
        guard !isStopped, let deadline = election.deadline else { return }
        let end = start + deadline
        timer = Task { [weak self] in
            guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
            await self?.post(.tick)
        }
    }

    private func perform(_ output: LeaderElection.Output) {
        switch output {
        case .tryLock: run { await $0.tryLock() }
        case .fence(let holder): run { await $0.fence(holder) }
        case .verifyLock: verifyLock()
        case .lead: enqueue { await $0.beginTerm() }
        case .heartbeat: enqueue { await $0.sendHeartbeat() }
        case .stepDown: enqueue { await $0.endTerm() }
        case .loseContact: lose(.silence)
        }
    }

    private func run(_ body: @escaping @Sendable (Leadership) async -> LeaderElection.Input) {
        attempt = Task {
            let result = await body(self)
            post(result)
        }
    }

    /// Appends a duty to the queue.
    private func enqueue(_ body: @escaping @Sendable (Leadership) async -> Void) {
        let previous = duties
        duties = Task {
            await previous?.value
            await body(self)
        }
    }

    private func tryLock() async -> LeaderElection.Input {
        guard let object else { return .attemptFailed }
        do throws(CephError) {
            switch try await object.tryLock() {
            case .locked: return .locked
            case .refused(let holder): return .refused(by: holder)
            }
        } catch {
            failed("trying the leader lock", error)
            return .attemptFailed
        }
    }

    private func fence(_ holder: LeaderElection.Holder) async -> LeaderElection.Input {
        logger.notice("fencing a leader that is gone", metadata: ["mirror.instance": "\(holder.client)"])
        let fence = InstanceFence(duration: configuration.fenceDuration)
        do throws(CephError) {
            try await fence.blocklist([holder.address], on: pool.cluster)
            try await fence.breakLeaderLock(of: holder.client, cookie: holder.cookie, in: pool)
            fencedLeaders.insert(String(holder.client))
            return .fenced(true)
        } catch {
            failed("fencing the leader", error)
            return .fenced(false)
        }
    }

    private func verifyLock() {
        Task {
            do throws(CephError) {
                try await object?.renewLock()
                if try await object?.holdsLock() != true { post(.lockLost) }
            } catch {
                if error.isNotFound || error.isBusy { post(.lockLost) }
                failed("verifying the leader lock", error)
            }
        }
    }

    /// Notes a failure; that of a fenced client is the end.
    func failed(_ what: String, _ error: CephError) {
        guard !isStopped else { return }
        logger.info("leadership: \(what) failed", metadata: ["error": "\(error)"])
        if error.isBlocklisted { lose(.blocklisted) }
    }

    func lose(_ loss: ContactLoss) {
        guard !isStopped else { return }
        end()
        logger.warning("contact to the other daemons lost", metadata: ["reason": "\(loss)"])
        Task { await delegate?.contactLost(loss) }
    }
}
