import RBDImage
import RBDMirroring

/// The stock daemon's loop, as far as it concerns snapshots and data.
extension Daemon {
    mutating func stockPlan(_ world: World) -> [Act] {
        let mine = world.sides[side].mirrors
        var start: UInt64 = 0
        var end: UInt64?
        var last: ImageSnapshot?
        var prune: [UInt64] = []
        for snapshot in mine {
            let mirror = snapshot.mirror!
            last = snapshot
            if mirror.state.isPrimary {
                if !mirror.complete { return [] }
                start = snapshot.id
            } else if mirror.complete {
                start = snapshot.id
                if mirror.peers.isEmpty { prune.append(snapshot.id) }
            } else if mirror.lastCopiedObject == 0 && start > 0 {
                prune = [snapshot.id]
                break
            } else {
                end = snapshot.id
                break
            }
        }
        prune.removeAll { $0 == start }
        if let first = prune.first { return [.removeLocal(first)] }
        let newest = last?.mirror
        if let newest, newest.state.isNonPrimary, newest.primaryMirrorUUID != world.sides[1 - side].uuid { return [] }
        if newest?.state == .primary { return [] }
        return stockRemote(world, start: start, end: end, newest: newest)
    }

    private mutating func stockRemote(_ world: World, start: UInt64, end: UInt64?, newest: MirrorSnapshot?) -> [Act] {
        let peer = world.sides[1 - side].peer
        var from: UInt64 = newest.map { $0.state.isNonPrimary && $0.complete ? $0.primarySnapshotID : 0 } ?? 0
        var to: ImageSnapshot?
        var unlink: [UInt64] = []
        var splitBrain = false
        for snapshot in world.sides[1 - side].mirrors where snapshot.mirror!.peers.contains(peer) {
            let mirror = snapshot.mirror!
            if let newest {
                if newest.state.isNonPrimary {
                    if to == nil { unlink.append(snapshot.id) }
                    let isOlder = newest.complete ? newest.primarySnapshotID >= snapshot.id : newest.primarySnapshotID > snapshot.id
                    if isOlder { from = snapshot.id; continue }
                } else if mirror.state == .nonPrimaryDemoted, mirror.primaryMirrorUUID == world.sides[side].uuid,
                    mirror.primarySnapshotID == start {
                    from = snapshot.id
                    splitBrain = false
                    continue
                } else if from == 0 {
                    splitBrain = true
                    continue
                }
            } else if !mirror.state.isPrimary {
                continue
            }
            if to == nil { to = snapshot }
        }
        if from != 0, world.sides[1 - side].snapshot(from) == nil { splitBrain = true }
        if splitBrain { return [] }
        unlink.removeAll { $0 == from || $0 == to?.id }
        if let first = unlink.first { return [.unlink(first)] }
        guard let to, to.mirror!.complete else { return [] }
        return stockCopy(world, from: from == 0 ? nil : from, to: to, end: end, start: start)
    }

    private mutating func stockCopy(_ world: World, from: UInt64?, to: ImageSnapshot, end: UInt64?, start: UInt64) -> [Act] {
        var acts: [Act] = []
        var first = 0
        if let end, let mirror = world.sides[side].snapshot(end)?.mirror {
            // Where the snapshot it was to reach is gone, stock goes on towards another one under the old label.
            guard mirror.primarySnapshotID == to.id else { return [] }
            local = end
            first = Int(mirror.lastCopiedObject)
        } else {
            acts.append(.begin(.init(
                from: from, to: to.id, localStart: start == 0 ? nil : start, isDemotion: to.mirror!.state.isDemoted)))
        }
        for object in min(first, World.objects)..<World.objects {
            acts.append(.copy(object: object, from: from, to: to.id, compares: false))
            acts.append(.progress(object + 1))
        }
        acts.append(.finishStock)
        if let from { acts.append(.unlink(from)) }
        return acts
    }
}
