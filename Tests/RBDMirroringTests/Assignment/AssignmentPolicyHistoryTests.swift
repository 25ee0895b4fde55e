import RBDMirroring
import Testing

/// Random lives of a pool: daemons come and die, leaders change, images come and go, actions fail or only seem to.
@Suite struct AssignmentPolicyHistoryTests {
    @Test(arguments: [ImageMapPolicy.Spread.even, .leaderOnly])
    func anImageIsNeverServedTwice(_ spread: ImageMapPolicy.Spread) throws {
        for seed in UInt64(0)..<400 {
            var pool = AssignmentModel(seed: seed, spread: spread)
            do {
                for _ in 0..<250 { try pool.act() }
                try pool.settle()
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }
}

private struct AssignmentModel {
    private var random: Seeded
    private let spread: ImageMapPolicy.Spread
    private var now = Duration.zero
    private var policy: ImageMapPolicy
    private var leader = "0"
    private var next = 1
    /// What each living daemon works on.
    private var working: [String: Set<String>] = ["0": []]
    /// Those the leader has heard of.
    private var heard: Set<String> = ["0"]
    private var map: [String: String] = [:]
    private var local: Set<String>? = []
    private var remote: Set<String>? = []
    private var trueRemote: Set<String> = []
    private var inFlight: [ImageMapPolicy.Action] = []

    init(seed: UInt64, spread: ImageMapPolicy.Spread) {
        random = Seeded(state: seed)
        self.spread = spread
        policy = Self.newPolicy(own: "0", awaited: [], map: [:], spread, .zero)
    }

    private static func newPolicy(
        own: String, awaited: Set<String>, map: [String: String], _ spread: ImageMapPolicy.Spread, _ now: Duration
    ) -> ImageMapPolicy {
        ImageMapPolicy(
            own: own, live: [], awaited: awaited, map: map.mapValues { .init(instance: $0, age: .seconds(20), data: []) },
            settings: .init(spread: spread, migrationThrottle: .seconds(30)), at: now)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func act() throws {
        now += .milliseconds(Int.random(in: 0...900, using: &random))
        switch Int.random(in: 0..<100, using: &random) {
        case ..<55: deliver(lossy: true)
        case ..<65: inFlight += policy.tick(at: now)
        case ..<80: changeImages()
        case ..<85: start()
        case ..<90: hear()
        case ..<93: kill()
        case ..<95: takeOver()
        default: remote = remote == nil ? trueRemote : nil
        }
        let all = working.values.flatMap(\.self)
        if all.count != Set(all).count { throw Violation(description: "two serve one image: \(working)") }
    }

    /// An action takes effect or not, and its end is told or taken for a failure.
    private mutating func deliver(lossy: Bool) {
        guard let index = inFlight.indices.randomElement(using: &random) else { return }
        let action = inFlight.remove(at: index)
        let happens = !lossy || chance(80)
        let isDone = happens && perform(action)
        inFlight += policy.completed(action, success: isDone && (!lossy || chance(85)), at: now)
    }

    private mutating func perform(_ action: ImageMapPolicy.Action) -> Bool {
        switch action.kind {
        case .updateMap(let instance, _): map[action.globalID] = instance
        case .removeMap: map[action.globalID] = nil
        case .acquire(let instance): return working[instance]?.insert(action.globalID) != nil
        case .release(let instance):
            guard working[instance] != nil else { return false }
            working[instance]!.remove(action.globalID)
        }
        return true
    }

    private mutating func changeImages() {
        let image = "g\(Int.random(in: 0..<9, using: &random))"
        if chance(50) { local!.formSymmetricDifference([image]) } else { trueRemote.formSymmetricDifference([image]) }
        if remote != nil { remote = trueRemote }
        inFlight += policy.imagesChanged(local: local, remote: remote, at: now)
    }

    private mutating func start() {
        guard working.count < 4 else { return }
        working["\(next)"] = []
        policy.awaiting(["\(next)"])
        next += 1
    }

    private mutating func hear() {
        let new = Set(working.keys).subtracting(heard)
        heard.formUnion(new)
        inFlight += policy.added(new, at: now)
    }

    private mutating func kill() {
        guard let victim = working.keys.sorted().randomElement(using: &random), victim != leader else { return }
        working[victim] = nil
        heard.remove(victim)
        inFlight += policy.removed([victim], at: now)
    }

    /// Another daemon leads: the old one is dead, or has let the election go; what it had begun may still happen first.
    private mutating func takeOver() {
        guard let new = working.keys.filter({ $0 != leader }).sorted().randomElement(using: &random) else { return }
        let dies = chance(50)
        for action in inFlight where chance(50) { _ = perform(action) }
        inFlight = []
        if dies { working[leader] = nil }
        leader = new
        heard = [leader]
        policy = Self.newPolicy(own: leader, awaited: Set(working.keys).subtracting([leader]), map: map, spread, now)
        inFlight = policy.start(at: now) + policy.imagesChanged(local: local, remote: remote, at: now)
    }

    mutating func settle() throws {
        remote = trueRemote
        hear()
        inFlight += policy.imagesChanged(local: local, remote: remote, at: now)
        for _ in 0..<200 {
            while !inFlight.isEmpty { deliver(lossy: false) }
            now += .seconds(1)
            inFlight += policy.tick(at: now)
        }
        let wanted = local!.union(trueRemote)
        let served = working.values.flatMap(\.self)
        guard served.count == wanted.count, Set(served) == wanted, Set(map.keys) == wanted else {
            throw Violation(description: "serves \(served.sorted()), maps \(map.keys.sorted()), wanted \(wanted.sorted())")
        }
        for (instance, images) in working {
            if images.contains(where: { map[$0] != instance }) { throw Violation(description: "mapped wrong: \(map), \(working)") }
            if policy.count(of: instance) != images.count { throw Violation(description: "counted wrong") }
        }
        if spread == .leaderOnly, working[leader] != wanted { throw Violation(description: "not with the leader: \(working)") }
        if !inFlight.isEmpty || policy.deadline != nil { throw Violation(description: "does not come to rest") }
    }
}
