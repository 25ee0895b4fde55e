/// Who leads a pool, as one daemon sees it.
///
/// A pure value: the shell hands in what happened and performs what comes out, and calls again with
/// ``Input/tick`` at ``deadline``. Times are since any fixed start.
public struct LeaderElection: Sendable {
    /// Who holds the leader's lock.
    public struct Holder: Hashable, Sendable {
        /// Global id of the client.
        public var client: UInt64
        public var cookie: String
        /// As the blocklist takes it.
        public var address: String
        /// Whether the client watches the leader object; one that does not is gone.
        public var watches: Bool

        public init(client: UInt64, cookie: String, address: String, watches: Bool) {
            self.client = client
            self.cookie = cookie
            self.address = address
            self.watches = watches
        }
    }

    /// What happened.
    public enum Input: Hashable, Sendable {
        /// The watch on the leader object stands and the mailbox is open.
        case started
        /// Another client's message came.
        case heard(LeaderMessage, from: UInt64)
        /// The lock is ours.
        case locked
        /// The lock is somebody else's; nil when it was free again at the second look.
        case refused(by: Holder?)
        /// The try had no clear outcome.
        case attemptFailed
        /// The holder was fenced and its lock broken, or that failed.
        case fenced(Bool)
        case heartbeatSent
        case heartbeatFailed
        /// The lock turned out not to be ours any more.
        case lockLost
        /// The watch broke: messages may be missed from here on.
        case interrupted
        case resumed
        /// Time has passed.
        case tick
        case stopped
    }

    /// What is to be done.
    public enum Output: Hashable, Sendable {
        /// Try the lock; answer with `locked`, `refused` or `attemptFailed`.
        case tryLock
        /// Fence this holder; answer with `fenced`.
        case fence(Holder)
        /// Begin to lead.
        case lead
        /// Send a heartbeat; answer with `heartbeatSent` or `heartbeatFailed`.
        case heartbeat
        /// Look whether the lock is still ours; answer with `lockLost` if not.
        case verifyLock
        /// The lock is gone: stop leading.
        case stepDown
        /// Nobody can know that this daemon lives: stop all work, for it is about to be fenced.
        case loseContact
    }

    private enum Phase: Hashable {
        case idle, following, trying, fencing(Holder), leading, stopped
    }

    public let timing: ElectionTiming
    public let own: UInt64
    /// The client that leads, as far as known.
    public private(set) var leader: UInt64?
    private var phase = Phase.idle
    private var watchStands = true
    private var wakeUp: Duration?
    private var lastContact = Duration.zero
    private var contactIsLost = false
    private var hasSlept = false
    private var lastHeartbeat = Duration.zero
    private var suspect: Holder?
    private var attempts = 0
    private var foundFree = false

    public init(own: UInt64, timing: ElectionTiming) {
        self.own = own
        self.timing = timing
    }

    public var isLeader: Bool { phase == .leading }

    /// When to call with ``Input/tick`` at the latest.
    public var deadline: Duration? {
        guard phase != .idle, phase != .stopped else { return nil }
        let contactEnds = contactIsLost ? nil : lastContact + timing.daemonSilence
        return [wakeUp, contactEnds].compactMap(\.self).min()
    }

    /// Takes in what happened and says what is to be done, in order.
    ///
    /// - Parameter now: Time since any fixed start; never smaller than before.
    public mutating func handle(_ input: Input, at now: Duration) -> [Output] {
        guard phase != .stopped else { return [] }
        switch input {
        case .started:
            guard phase == .idle else { return [] }
            lastContact = now
            return tryLock()
        case .heard(let message, let from): return heard(message, from: from, at: now)
        case .locked: return locked(at: now)
        case .refused(let holder): return refused(by: holder, at: now)
        case .attemptFailed: return follow(after: timing.leaderSilence, at: now, unless: .trying)
        case .fenced(let done): return fenced(done, at: now)
        case .heartbeatSent, .heartbeatFailed: return heartbeatEnded(sent: input == .heartbeatSent, at: now)
        case .lockLost: return lockLost(at: now)
        case .interrupted: return interrupted()
        case .resumed: return resumed(at: now)
        case .tick: return tick(at: now)
        case .stopped:
            phase = .stopped
            wakeUp = nil
            return []
        }
    }
}

extension LeaderElection {
    private mutating func tryLock() -> [Output] {
        phase = .trying
        wakeUp = nil
        return [.tryLock]
    }

    /// Waits for the leader's next word, but not longer than this.
    private mutating func follow(after pause: Duration, at now: Duration, unless expected: Phase? = nil) -> [Output] {
        if let expected, phase != expected { return [] }
        phase = .following
        wakeUp = watchStands ? now + pause : nil
        return []
    }

    private mutating func forgetSuspicion() {
        attempts = 0
        suspect = nil
    }

    private mutating func contact(at now: Duration) {
        lastContact = max(lastContact, now)
        hasSlept = false
    }

    private mutating func heard(_ message: LeaderMessage, from: UInt64, at now: Duration) -> [Output] {
        guard phase != .idle else { return [] }
        contact(at: now)
        // Two leaders: one of them has lost its lock without knowing.
        if phase == .leading { return message == .released ? [] : [.verifyLock] }
        switch message {
        case .heartbeat, .acquired:
            leader = from
            forgetSuspicion()
            if phase == .following { return follow(after: timing.leaderSilence, at: now) }
        case .released:
            if leader == from { leader = nil }
            forgetSuspicion()
            if phase == .following { return tryLock() }
        default: break
        }
        return []
    }

    private mutating func locked(at now: Duration) -> [Output] {
        guard phase == .trying else { return [] }
        phase = .leading
        leader = own
        forgetSuspicion()
        foundFree = false
        contact(at: now)
        lastHeartbeat = now
        wakeUp = nil
        return [.lead, .heartbeat]
    }

    private mutating func refused(by holder: Holder?, at now: Duration) -> [Output] {
        guard phase == .trying else { return [] }
        // A standing watch gets every heartbeat there is: silence means that nobody leads, not that we are cut off.
        if watchStands { contact(at: now) }
        guard let holder else {
            defer { foundFree.toggle() }
            return foundFree ? follow(after: timing.heartbeatInterval, at: now) : tryLock()
        }
        foundFree = false
        if holder.watches, leader == nil { leader = holder.client }
        guard watchStands else { return follow(after: timing.leaderSilence, at: now) }
        let isSame = suspect?.client == holder.client && suspect?.cookie == holder.cookie
        attempts = isSame ? attempts + 1 : 1
        suspect = holder
        guard !holder.watches || attempts >= timing.maxAcquireAttemptsBeforeBreak else {
            return follow(after: timing.leaderSilence, at: now)
        }
        phase = .fencing(holder)
        wakeUp = nil
        return [.fence(holder)]
    }

    private mutating func fenced(_ done: Bool, at now: Duration) -> [Output] {
        guard case .fencing(let holder) = phase else { return [] }
        guard done else { return follow(after: timing.leaderSilence, at: now) }
        if leader == holder.client { leader = nil }
        forgetSuspicion()
        contact(at: now)
        return tryLock()
    }

    private mutating func heartbeatEnded(sent: Bool, at now: Duration) -> [Output] {
        guard phase == .leading else { return [] }
        if sent { contact(at: now) }
        wakeUp = max(now, lastHeartbeat + timing.heartbeatInterval)
        return []
    }

    private mutating func lockLost(at now: Duration) -> [Output] {
        guard phase == .leading else { return [] }
        leader = nil
        return [.stepDown] + follow(after: timing.leaderSilence, at: now)
    }

    /// Without a watch heartbeats pass unheard, so nobody may be suspected. A leader goes on: it needs no watch to send.
    private mutating func interrupted() -> [Output] {
        watchStands = false
        forgetSuspicion()
        if phase == .following { wakeUp = nil }
        return []
    }

    private mutating func resumed(at now: Duration) -> [Output] {
        watchStands = true
        return phase == .following ? follow(after: timing.leaderSilence, at: now) : []
    }

    private mutating func tick(at now: Duration) -> [Output] {
        guard phase != .idle else { return [] }
        var outputs: [Output] = []
        noteSleep(at: now)
        if !contactIsLost, now >= lastContact + timing.daemonSilence {
            contactIsLost = true
            outputs.append(.loseContact)
        }
        guard let wakeUp, now >= wakeUp else { return outputs }
        switch phase {
        case .following: return outputs + tryLock()
        case .leading:
            self.wakeUp = nil
            lastHeartbeat = now
            return outputs + [.heartbeat]
        default: return outputs
        }
    }

    /// A tick that comes late says that this process was held up: what was sent meanwhile may be about to be heard.
    private mutating func noteSleep(at now: Duration) {
        guard !hasSlept, now > lastContact + timing.daemonSilence + timing.heartbeatInterval else { return }
        hasSlept = true
        lastContact = now + timing.heartbeatInterval - timing.daemonSilence
    }
}
