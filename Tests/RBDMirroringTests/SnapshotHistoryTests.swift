import Foundation
import RBDImage
import RBDMirroring
import Testing

/// Random legal histories: writes, snapshots, demotions, promotions with and without force, crashes between
/// any two operations, and stock daemons taking turns with ours.
///
/// `HISTORY_SEEDS` sets how many of each kind are run.
@Suite struct SnapshotHistoryTests {
    @Test(arguments: [Mix(stock: false, force: false), Mix(stock: false, force: true), Mix(stock: true, force: false),
                      Mix(stock: true, force: true)])
    func historiesConverge(mix: Mix) throws {
        let seeds = ProcessInfo.processInfo.environment["HISTORY_SEEDS"].flatMap { Int($0) } ?? 400
        var synced = 0, rollbacks = 0
        for seed in UInt64(0)..<UInt64(seeds) {
            do {
                var history = History(seed: seed, mix: mix)
                try history.run(actions: 160)
                try history.converge()
                synced += history.finished
                rollbacks += history.rollbacks
            } catch {
                Issue.record("seed \(seed), \(mix): \(error)")
                return
            }
        }
        // The histories must have got somewhere, else they prove nothing.
        #expect(synced > seeds)
        if mix.force { #expect(rollbacks > seeds / 15) }
    }
}

struct Mix: Sendable, CustomTestStringConvertible {
    var stock: Bool
    var force: Bool
    var testDescription: String { "\(stock ? "with" : "without") stock daemons, \(force ? "with" : "without") force" }
}

struct History {
    var world: World
    var daemons = [Daemon(side: 0), Daemon(side: 1)]
    var mix: Mix
    var finished = 0
    var rollbacks = 0

    init(seed: UInt64, mix: Mix) {
        world = World(seed: seed)
        self.mix = mix
    }

    mutating func run(actions: Int) throws {
        for _ in 0..<actions {
            let side = world.pick(0..<2)
            switch world.pick(0..<100) {
            case ..<44: try daemonStep(side)
            case ..<64: if world.isPrimary(side) { world.write(side) }
            case ..<79: if world.isPrimary(side) { world.addPrimary(side, complete: world.chance(70)) }
            case ..<83: if world.isPrimary(side) { world.completeNewest(side) }
            case ..<87: daemons[side].crash()
            case ..<89: if mix.stock { swapDaemon(side) }
            case ..<92: if world.isPrimary(side), !world.diverged { world.demote(side) }
            case ..<95: promote(side)
            case ..<98: removeSomeTarget(side)
            default: try disaster(side)
            }
            try world.checkInvariant()
        }
    }

    private mutating func daemonStep(_ side: Int) throws {
        let before = world.sides[side].newest?.mirror?.complete
        _ = try daemons[side].step(&world)
        if before == false, world.sides[side].newest?.mirror?.complete == true { finished += 1 }
    }

    /// One daemon ends in whatever it was doing and the other kind takes over.
    private mutating func swapDaemon(_ side: Int) {
        daemons[side].crash()
        daemons[side].isStock.toggle()
    }

    private mutating func promote(_ side: Int) {
        guard world.mayPromote(side), !world.diverged else { return }
        daemons[side].crash()
        world.addPrimary(side)
    }

    /// An operator removes a point that is not the common one.
    private mutating func removeSomeTarget(_ side: Int) {
        guard world.isPrimary(side), !world.sides[1 - side].tornByStock, !mix.stock else { return }
        let common = world.sides[1 - side].base?.mirror?.primarySnapshotID ?? 0
        let removable = world.sides[side].mirrors.filter { $0.id > common && $0.mirror!.state == .primary }
        if removable.count > 1 { world.remove(removable[world.pick(0..<removable.count - 1)].id, from: side) }
    }

    /// A forced promotion in whatever the daemon is doing, or the repair of an earlier one.
    private mutating func disaster(_ side: Int) throws {
        guard mix.force else { return }
        if world.diverged {
            resync(side)
        } else if world.chance(40) {
            daemons[side].crash()
            if world.sides[side].newest?.mirror?.complete == false { rollbacks += 1 }
            try world.forcePromote(side, rollbackIsExact: daemons[side].rollbackIsExact)
        }
    }

    /// The operator demotes one side, sees the split-brain, and throws that side away.
    private mutating func resync(_ side: Int) {
        guard world.isPrimary(1 - side) else { return }
        if world.isPrimary(side) { world.demote(side) }
        daemons[side].crash()
        world.wipe(side)
        world.addPrimary(1 - side)
    }

    // MARK: the end

    /// Stops writing, repairs what needs a decision, and lets our daemons work undisturbed.
    mutating func converge() throws {
        for side in 0..<2 {
            daemons[side].crash()
            daemons[side].isStock = false
        }
        if world.isPrimary(0) && world.isPrimary(1) { resync(1) }
        if !world.isPrimary(0) && !world.isPrimary(1) { try settleRoles() }
        let source = world.isPrimary(0) ? 0 : 1
        let replica = 1 - source
        if case .stop(.splitBrain(let how)) = world.plan(for: replica) {
            guard world.diverged else { throw Violation(description: "split-brain without a cause: \(how)") }
            resync(replica)
        }
        for _ in 0..<3 {
            world.completeNewest(source)
            world.write(source)
            world.addPrimary(source)
            try rest(replica, expecting: .idle)
            guard world.sides[replica].values == world.sides[source].values else {
                throw Violation(description: "replica \(world.sides[replica].values), source \(world.sides[source].values)")
            }
        }
        try checkLeftovers(source, replica)
    }

    private mutating func settleRoles() throws {
        for side in 0..<2 { while try daemons[side].step(&world) {} }
        if let side = (0..<2).first(where: { world.mayPromote($0) }) {
            world.addPrimary(side)
        } else {
            throw Violation(description: "nobody can be promoted: \(world.plan(for: 0)) \(world.plan(for: 1))")
        }
    }

    private mutating func rest(_ side: Int, expecting expected: SnapshotPlan) throws {
        var steps = 0
        while try daemons[side].step(&world) {
            steps += 1
            if steps > 300 { throw Violation(description: "does not come to rest: \(world.plan(for: side))") }
        }
        let plan = world.plan(for: side)
        if plan != expected { throw Violation(description: "rests with \(plan)") }
    }

    private func checkLeftovers(_ source: Int, _ replica: Int) throws {
        let copies = world.sides[replica].mirrors.filter { $0.mirror!.state.isNonPrimary }
        let all = world.sides[replica].mirrors.count
        let linked = world.sides[source].mirrors.filter { $0.mirror!.peers.contains(world.sides[source].peer) }
        guard copies.count == 1, all == 1, linked.count == 1, world.sides[source].mirrors.count <= 3 else {
            throw Violation(description: """
                left over: \(copies.count) copies, \(all) mirror snapshots on the replica, \
                \(world.sides[source].mirrors.count) on the source, \(linked.count) linked
                """)
        }
    }
}
