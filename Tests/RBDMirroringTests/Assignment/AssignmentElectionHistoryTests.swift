import RBDMirroring
import Testing

/// Random lives of a pool's daemons around one lock: they freeze, die, start, and lose their watches.
@Suite struct AssignmentElectionHistoryTests {
    @Test func oneLeadsAndTheHealthyAreNotFenced() {
        var elections = 0, fences = 0
        for seed in UInt64(0)..<200 {
            var model = ElectionModel(seed: seed)
            do {
                try model.run(seconds: 600)
                try model.settle()
                elections += model.elections
                fences += model.fences
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
        #expect(elections > 1000 && fences > 500)
    }
}

private struct ElectionModel {
    struct Daemon {
        var election: LeaderElection
        var watches = true
        /// Frozen until then.
        var frozenUntil = Duration.zero
        /// Not frozen and not without contact to the cluster since then.
        var healthySince = Duration.zero
        var hasContact = true
        var inputs: [(at: Duration, input: LeaderElection.Input)] = []
    }

    private var random: Seeded
    private var now = Duration.zero
    private var daemons: [UInt64: Daemon] = [:]
    private var lock: UInt64?
    private var next: UInt64 = 1
    private(set) var elections = 0
    private(set) var fences = 0

    init(seed: UInt64) {
        random = Seeded(state: seed)
        for _ in 0..<3 { start() }
    }

    private mutating func start() {
        daemons[next] = Daemon(election: LeaderElection(own: next, timing: .init()), healthySince: now)
        let id = next
        next += 1
        hand(.started, to: id)
    }

    mutating func run(seconds: Int) throws {
        for _ in 0..<seconds {
            if Int.random(in: 0..<20, using: &random) == 0 { fault() }
            try step()
        }
    }

    private mutating func fault() {
        guard let id = daemons.keys.sorted().randomElement(using: &random) else { return start() }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: daemons[id] = nil
        case 1: daemons[id]!.frozenUntil = now + .seconds(Int.random(in: 1...90, using: &random))
        case 2 where daemons[id]!.watches:
            daemons[id]!.watches = false
            daemons[id]!.inputs.append((now, .interrupted))
        case 3 where !daemons[id]!.watches: resume(id)
        case 4 where lock == id && daemons[id]!.election.isLeader:
            // Shut down in good order.
            _ = daemons[id]!.election.handle(.stopped, at: now)
            daemons[id] = nil
            lock = nil
            for other in daemons.keys { tell(other, .heard(.released, from: id)) }
        default: if daemons.count < 4 { start() }
        }
    }

    private mutating func resume(_ id: UInt64) {
        daemons[id]!.watches = true
        daemons[id]!.inputs.append((now, .resumed))
    }

    /// A notification reaches who watches.
    private mutating func tell(_ id: UInt64, _ input: LeaderElection.Input) {
        guard daemons[id]?.watches == true else { return }
        daemons[id]!.inputs.append((now, input))
    }

    private mutating func step() throws {
        now += .seconds(1)
        for id in daemons.keys.sorted() {
            guard let daemon = daemons[id] else { continue }
            if daemon.frozenUntil > now {
                daemons[id]!.healthySince = now
                continue
            }
            let due = daemon.inputs.filter { $0.at <= now }
            daemons[id]!.inputs.removeAll { $0.at <= now }
            for (_, input) in due { hand(input, to: id) }
            if let deadline = daemons[id]?.election.deadline, deadline <= now { hand(.tick, to: id) }
            try fenceIfAsked(id)
        }
        // Who has lost contact starts again with a new client.
        for (id, daemon) in daemons where !daemon.hasContact {
            daemons[id] = nil
            start()
        }
        if daemons.values.count(where: { $0.election.isLeader && $0.frozenUntil <= now }) > 1 {
            throw Violation(description: "two lead at \(now)")
        }
    }

    private var fenceWanted: [UInt64: LeaderElection.Holder] = [:]

    private mutating func hand(_ input: LeaderElection.Input, to id: UInt64) {
        guard daemons[id] != nil else { return }
        for output in daemons[id]!.election.handle(input, at: now) {
            switch output {
            case .tryLock: answer(id, tryLock(id))
            case .fence(let holder): fenceWanted[id] = holder
            case .lead:
                elections += 1
                for other in daemons.keys where other != id { tell(other, .heard(.acquired, from: id)) }
            case .heartbeat:
                for other in daemons.keys where other != id { tell(other, .heard(.heartbeat, from: id)) }
                answer(id, .heartbeatSent, after: 0...5)
            case .verifyLock: if lock != id { answer(id, .lockLost) }
            case .stepDown: break
            case .loseContact: daemons[id]!.hasContact = false
            }
        }
    }

    private mutating func answer(_ id: UInt64, _ input: LeaderElection.Input, after delay: ClosedRange<Int> = 0...1) {
        daemons[id]!.inputs.append((now + .seconds(Int.random(in: delay, using: &random)), input))
    }

    private mutating func tryLock(_ id: UInt64) -> LeaderElection.Input {
        guard let holder = lock, holder != id else {
            lock = id
            return .locked
        }
        return .refused(by: .init(client: holder, cookie: "c", address: "\(holder)", watches: daemons[holder]?.watches == true))
    }

    private mutating func fenceIfAsked(_ id: UInt64) throws {
        guard let holder = fenceWanted.removeValue(forKey: id), daemons[id] != nil else { return }
        let victim = daemons[holder.client]
        let isHealthy = victim.map { $0.election.isLeader && $0.watches && now - $0.healthySince > .seconds(60) } == true
        if lock == holder.client, isHealthy, holder.watches { throw Violation(description: "\(id) fences the healthy \(holder.client) at \(now)") }
        fences += 1
        daemons[holder.client] = nil
        if lock == holder.client { lock = nil }
        answer(id, .fenced(true), after: 1...3)
    }

    /// Without faults one leads in the end, and all know it.
    mutating func settle() throws {
        for id in daemons.keys {
            daemons[id]!.frozenUntil = .zero
            if !daemons[id]!.watches { resume(id) }
        }
        if daemons.isEmpty { start() }
        for _ in 0..<120 { try step() }
        let leaders = daemons.filter(\.value.election.isLeader).keys.sorted()
        guard leaders.count == 1, lock == leaders[0] else { throw Violation(description: "led by \(leaders), locked by \(lock ?? 0)") }
        for (id, daemon) in daemons where daemon.election.leader != lock { throw Violation(description: "\(id) does not know the leader") }
    }
}
