import RBDImage
import RBDMirroring

/// One operation of a daemon on the clusters; a crash may come between any two.
enum Act {
    case removeLocal(UInt64)
    case unlink(UInt64)
    case seal(UInt64)
    case begin(SnapshotPlan.Sync)
    case copy(object: Int, from: UInt64?, to: UInt64, compares: Bool)
    case progress(Int)
    case finishSealed(from: UInt64?, to: UInt64)
    case finishStock
}

/// A daemon serving one side: what it has decided to do and not yet done.
struct Daemon {
    var side: Int
    var isStock = false
    var acts: [Act] = []
    /// Whether a forced promotion now must give exactly the last complete point.
    var rollbackIsExact = false
    /// The unfinished snapshot it writes under.
    var local: UInt64?

    mutating func crash() {
        acts = []
        local = nil
    }

    /// Does the next operation, planning first if there is none. Returns false when there is nothing to do.
    mutating func step(_ world: inout World) throws -> Bool {
        if acts.isEmpty {
            acts = isStock ? stockPlan(world) : try ourPlan(&world)
            if acts.isEmpty { return false }
        }
        try perform(acts.removeFirst(), &world)
        try world.checkInvariant()
        return true
    }

    // MARK: ours

    private mutating func ourPlan(_ world: inout World) throws -> [Act] {
        switch world.plan(for: side) {
        case .prune(let ids):
            if let base = world.sides[side].base, ids.contains(base.id) {
                throw Violation(description: "prunes the newest complete point \(base.id)")
            }
            return ids.map { .removeLocal($0) }
        case .unlink(let ids):
            if let base = world.sides[side].base?.mirror, ids.contains(base.primarySnapshotID) {
                throw Violation(description: "unlinks the common point \(base.primarySnapshotID)")
            }
            return ids.map { .unlink($0) }
        case .seal(let id): return [.seal(id)]
        case .sync(let sync):
            return [.begin(sync)] + (sync.replaces.map { [.removeLocal($0)] } ?? [])
                + copying(from: sync.from, to: sync.to, first: 0, compares: sync.baseIsExact, &world)
        case .resume(let resume):
            local = resume.local
            return copying(from: resume.from, to: resume.to, first: Int(resume.firstObject), compares: false, &world)
        case .wait, .idle, .stop: return []
        }
    }

    /// Objects in flight finish out of order; progress is what is done without a gap, and is stored now and then.
    private func copying(from: UInt64?, to: UInt64, first: Int, compares: Bool, _ world: inout World) -> [Act] {
        var acts: [Act] = []
        var waiting = Array(min(first, World.objects)..<World.objects)
        var done = Set(0..<min(first, World.objects))
        while !waiting.isEmpty {
            let object = waiting.remove(at: world.pick(0..<min(3, waiting.count)))
            acts.append(.copy(object: object, from: from, to: to, compares: compares))
            done.insert(object)
            let prefix = (0..<World.objects).first { !done.contains($0) } ?? World.objects
            if prefix > 0, world.chance(50) { acts.append(.progress(prefix - 1)) }
        }
        return acts + [.finishSealed(from: from, to: to)]
    }

    // MARK: effects

    private mutating func perform(_ act: Act, _ world: inout World) throws {
        switch act {
        case .removeLocal(let id): removeLocal(id, &world)
        case .unlink(let id):
            let peer = world.sides[1 - side].peer
            world.change(id, on: 1 - side) { $0.peers.remove(peer) }
        case .seal(let id):
            guard let mirror = world.sides[side].snapshot(id)?.mirror else { return }
            world.add(SealedPoint.sealing(mirror), to: side)
        case .begin(let sync): try begin(sync, &world)
        case .copy(let object, let from, let to, let compares): copy(object, from, to, compares, &world)
        case .progress(let object):
            if let local { world.change(local, on: side) { $0.lastCopiedObject = UInt64(object) } }
        case .finishSealed(let from, let to): finish(from, to, &world)
        case .finishStock:
            guard let local else { return }
            world.change(local, on: side) { $0.complete = true; $0.lastCopiedObject = UInt64(World.objects) }
            world.sides[side].committed = world.sides[side].values
        }
    }

    private mutating func removeLocal(_ id: UInt64, _ world: inout World) {
        guard let mirror = world.sides[side].snapshot(id)?.mirror else { return }
        if isStock && !mirror.complete { world.sides[side].tornByStock = true }
        world.remove(id, from: side)
    }

    private mutating func begin(_ sync: SnapshotPlan.Sync, _ world: inout World) throws {
        if let base = world.sides[side].base {
            let content = world.sides[side].frozen[base.id]?.map(\.value)
            let isExact = base.mirror!.state == .primaryDemoted || content == world.sides[side].committed
            // Nothing can be done about a copy that stock began over its own snapshot, or threw away half done.
            if !isStock && !isExact && sync.replaces == nil && !world.sides[side].tornByStock {
                throw Violation(description: "begins a copy over \(base.id), which holds \(content ?? []) instead of \(world.sides[side].committed)")
            }
            rollbackIsExact = isExact
            if base.mirror!.state == .primaryDemoted { world.sides[side].committed = content ?? [] }
        }
        world.sides[side].tornByStock = false
        local = world.add(
            MirrorSnapshot(
                state: sync.isDemotion ? .nonPrimaryDemoted : .nonPrimary,
                peers: sync.isDemotion ? [world.sides[side].peer] : [],
                primaryMirrorUUID: world.sides[1 - side].uuid, primarySnapshotID: sync.to,
                snapshotIDs: [sync.to: headSnapshotID]),
            to: side)
    }

    /// Takes an object over when it changed between the points; an exact base allows to compare contents instead.
    private mutating func copy(_ object: Int, _ from: UInt64?, _ to: UInt64, _ compares: Bool, _ world: inout World) {
        let source = world.sides[1 - side]
        guard let new = source.frozen[to]?[object] else { return abandon() }
        if let from {
            guard let old = source.frozen[from]?[object] else { return abandon() }
            if old.write == new.write || (compares && old.value == new.value) { return }
        }
        world.put(new.value, at: object, on: side)
    }

    private mutating func finish(_ from: UInt64?, _ to: UInt64, _ world: inout World) {
        let source = world.sides[1 - side]
        guard source.snapshot(to) != nil, from.map({ source.snapshot($0) != nil }) ?? true else { return abandon() }
        guard let local, let mirror = world.sides[side].snapshot(local)?.mirror else { return }
        world.add(SealedPoint.sealing(mirror), to: side)
        world.sides[side].committed = world.sides[side].values
        self.local = nil
    }

    private mutating func abandon() { crash() }
}
