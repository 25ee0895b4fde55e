import RBDImage
import RBDMirroring

/// A small random generator with a seed, so that a failure can be run again.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

struct Violation: Error, CustomStringConvertible {
    var description: String
}

/// One object of an image: its bytes, and which write made it what it is (as Ceph's own change tracking knows).
struct Cell: Hashable {
    var value = 0
    var write = 0
}

/// One cluster's image: a header's snapshots and what each froze.
struct Side {
    var index: Int
    var snapshots: [ImageSnapshot] = []
    var frozen: [UInt64: [Cell]] = [:]
    var head: [Cell]
    /// What HEAD held when the newest copy was last complete.
    var committed: [Int] = []
    /// A stock daemon threw an unfinished copy away and left HEAD as it was.
    var tornByStock = false

    var uuid: String { "uuid-\(index)" }
    /// This side's record of its peer.
    var peer: String { "peer-on-\(index)" }
    var mirrors: [ImageSnapshot] { snapshots.filter { $0.mirror != nil }.sorted { $0.id < $1.id } }
    var newest: ImageSnapshot? { mirrors.last }
    var promotion: PromotionState { PromotionState(ofSnapshots: snapshots) }
    var values: [Int] { head.map(\.value) }
    var base: ImageSnapshot? { mirrors.last { $0.mirror!.complete && !$0.mirror!.isOrphan } }

    func snapshot(_ id: UInt64) -> ImageSnapshot? { snapshots.first { $0.id == id } }
}

/// Two clusters, with the rules of `rbd` and librbd for primaries; daemons are in the other files.
struct World {
    static let objects = 4
    var sides: [Side]
    /// What every snapshot of each side ever held.
    var archive: [[UInt64: [Int]]] = [[:], [:]]
    var random: Seeded
    /// Data was written on both sides since they last agreed: somebody forced a promotion.
    var diverged = false
    private var nextID: UInt64 = 1
    private var nextWrite = 1

    init(seed: UInt64) {
        random = Seeded(state: seed)
        sides = (0..<2).map { Side(index: $0, head: Array(repeating: Cell(), count: Self.objects)) }
        addPrimary(0)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    func context(for side: Int) -> SnapshotPlanContext {
        SnapshotPlanContext(
            localMirrorUUID: sides[side].uuid, remoteMirrorUUID: sides[1 - side].uuid,
            remotePeerUUID: sides[1 - side].peer, localPeerUUIDs: [sides[side].peer])
    }

    func plan(for side: Int) -> SnapshotPlan {
        SnapshotPlanner.plan(
            local: sides[side].snapshots, remote: sides[1 - side].snapshots, context: context(for: side))
    }

    func isPrimary(_ side: Int) -> Bool { sides[side].promotion == .primary }

    // MARK: header operations

    @discardableResult
    mutating func add(_ mirror: MirrorSnapshot, to side: Int) -> UInt64 {
        let id = nextID
        nextID += 1
        sides[side].snapshots.append(ImageSnapshot(id: id, name: "\(id)", namespace: .mirror(mirror), size: 1))
        sides[side].frozen[id] = sides[side].head
        archive[side][id] = sides[side].values
        return id
    }

    mutating func remove(_ id: UInt64, from side: Int) {
        sides[side].snapshots.removeAll { $0.id == id }
        sides[side].frozen[id] = nil
    }

    mutating func change(_ id: UInt64, on side: Int, _ body: (inout MirrorSnapshot) -> Void) {
        guard let index = sides[side].snapshots.firstIndex(where: { $0.id == id }),
            var mirror = sides[side].snapshots[index].mirror
        else { return }
        body(&mirror)
        sides[side].snapshots[index].namespace = .mirror(mirror)
    }

    mutating func put(_ value: Int, at object: Int, on side: Int) {
        sides[side].head[object] = Cell(value: value, write: nextWrite)
        nextWrite += 1
    }

    // MARK: what a primary and its operator do

    /// Few values, so that contents come back to what they were.
    mutating func write(_ side: Int) { put(pick(0..<2), at: pick(0..<Self.objects), on: side) }

    mutating func addPrimary(_ side: Int, complete: Bool = true) {
        add(MirrorSnapshot(state: .primary, complete: complete, peers: [sides[side].peer]), to: side)
        reap(side)
    }

    mutating func completeNewest(_ side: Int) {
        guard let newest = sides[side].newest, newest.mirror?.state == .primary else { return }
        change(newest.id, on: side) { $0.complete = true }
    }

    mutating func demote(_ side: Int) {
        completeNewest(side)
        add(MirrorSnapshot(state: .primaryDemoted, complete: true, peers: [sides[side].peer]), to: side)
        reap(side)
    }

    /// Whether an operator in his senses may promote without force.
    func mayPromote(_ side: Int) -> Bool {
        guard !isPrimary(1 - side), let newest = sides[side].newest?.mirror, newest.complete else { return false }
        if newest.state == .primaryDemoted { return sides[1 - side].newest?.mirror?.state.isPrimary != true }
        return newest.state == .nonPrimaryDemoted && newest.primarySnapshotID == sides[1 - side].newest?.id
    }

    /// Promotes by force: an orphan, the roll-back of an unfinished copy, a primary snapshot.
    mutating func forcePromote(_ side: Int, rollbackIsExact: Bool) throws {
        guard let newest = sides[side].newest, newest.mirror?.state == .nonPrimary, !newest.mirror!.isOrphan else { return }
        if !newest.mirror!.complete {
            let older = sides[side].mirrors.last { $0.id < newest.id && ($0.mirror!.complete || $0.mirror!.state != .nonPrimary) }
            guard let older, let content = sides[side].frozen[older.id] else { return }
            for object in 0..<Self.objects { put(content[object].value, at: object, on: side) }
            if rollbackIsExact && sides[side].values != sides[side].committed {
                throw Violation(description: "forced promotion gave \(sides[side].values), not \(sides[side].committed)")
            }
        }
        add(MirrorSnapshot(state: .nonPrimary, complete: true), to: side)
        addPrimary(side)
        diverged = true
    }

    /// What a stock primary removes when it makes a snapshot.
    private mutating func reap(_ side: Int) {
        guard let newest = sides[side].newest?.id else { return }
        for snapshot in sides[side].mirrors where snapshot.id != newest {
            let mirror = snapshot.mirror!
            if mirror.peers.isEmpty || (mirror.state.isPrimary && !mirror.complete) { remove(snapshot.id, from: side) }
        }
        var linked: [UInt64] = []
        for snapshot in sides[side].mirrors {
            if snapshot.mirror!.state == .primary { linked.append(snapshot.id) } else { linked = [] }
        }
        if linked.count > 5 { remove(linked[linked.count - 2], from: side) }
    }

    /// Throws a side's image away, as a resync does.
    mutating func wipe(_ side: Int) {
        sides[side].snapshots = []
        sides[side].frozen = [:]
        sides[side].head = Array(repeating: Cell(), count: Self.objects)
        sides[side].committed = []
        sides[side].tornByStock = false
        diverged = false
    }

    /// What stock and we rely on: newest copy complete means HEAD is its source snapshot.
    func checkInvariant() throws {
        for side in sides where !side.tornByStock {
            guard let newest = side.newest?.mirror, newest.state.isNonPrimary, newest.complete, !newest.isOrphan else { continue }
            let source = archive[1 - side.index][newest.primarySnapshotID]
            if source != side.values {
                throw Violation(description: "side \(side.index) claims snapshot \(newest.primarySnapshotID) = \(source ?? []) but holds \(side.values)")
            }
        }
    }
}
