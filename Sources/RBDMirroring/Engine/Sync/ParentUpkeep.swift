internal import CephCore
internal import Glibc
internal import RBDImage
internal import SnapshotDelta

/// Keeps a replica that is a clone in step with what its source sees of the parent.
struct ParentUpkeep {
    let sides: SyncSides

    private var replica: ReplicaImage { sides.replica }
    private var source: ImageHeader { sides.source.header }

    /// Before a sync: has the replica's objects where the source's are, and ends its being a clone if the source's ended so that
    /// no snapshot sees the parent any more.
    ///
    /// - Parameters:
    ///   - base: The source point that both sides have.
    ///   - local: The replica's snapshot of it.
    func prepare(from base: UInt64, local: UInt64, to end: UInt64) async throws {
        let header = await replica.header
        let overlap = header.widestOverlap
        guard overlap > 0 else { return }
        try await copyBehind(header, from: base, local: local, overlap: overlap)
        let isFlattened = [base, end].allSatisfy { (source.snapshot($0)?.parentOverlap ?? 0) == 0 }
        if isFlattened, source.features.contains(.deepFlatten) { try await replica.detachParent() }
    }

    /// At rest: HEAD is not a clone any more where the source's point is none (any more).
    func finish() async throws {
        let header = await replica.header
        guard header.parent?.headOverlap != nil, let newest = header.mirrorSnapshots.last, let mirror = newest.mirror, mirror.complete,
            let point = source.snapshot(mirror.primarySnapshotID), (point.parentOverlap ?? 0) == 0 else { return }
        try await copyBehind(header, from: point.id, local: newest.id, overlap: header.widestOverlap)
        try await replica.detachParent()
    }

    /// Throws where data would be missing: the source's point sees a parent and the replica has none.
    func check(_ end: UInt64) async throws {
        guard (source.snapshot(end)?.parentOverlap ?? 0) > 0, await replica.header.parent?.headOverlap == nil else { return }
        throw SyncError.parentLost
    }

    private func copyBehind(_ header: ImageHeader, from base: UInt64, local: UInt64, overlap: UInt64) async throws {
        guard let point = source.snapshot(base), let twin = header.snapshot(local) else { return }
        let count = min(source.objectCount(forSize: point.size), header.objectCount(forSize: overlap))
        let dataPool = replica.dataPool
        let copy = CopyBehind(
            source: try sides.source.dataPool.reading(at: base), target: try dataPool.writing(in: SnapshotContext([])),
            targetAtPoint: try dataPool.reading(at: local), sourceName: { [source] in source.objectName($0) },
            targetName: { header.objectName($0) }, objectSize: header.layout.objectSize, memory: sides.memory, limits: sides.limits)
        if let missing = try await missing(point, twin, count) {
            try await note(try await copy.run(missing, isKnownMissing: true), header)
        } else {
            try await note(try await copy.run(0..<count, isKnownMissing: false), header)
        }
    }

    /// What the maps of both sides tell; nil when one cannot be trusted.
    private func missing(_ point: ImageSnapshot, _ twin: ImageSnapshot, _ count: UInt64) async throws -> [UInt64]? {
        guard source.features.contains(.objectMap), !point.flags.contains(.objectMapInvalid), !twin.flags.contains(.objectMapInvalid)
        else { return nil }
        guard let own = try await replica.loadObjectMap(of: twin.id) else { return nil }
        let theirs = try await sides.source.objectMap(of: point.id)
        guard own.count >= count, theirs.count >= count else { return nil }
        return theirs.present.prefix { $0 < count }.filter { own[Int($0)] == .nonexistent }
    }

    /// Nil for a map that is missing or damaged, which denies nobody an object. Any other failure must not pass for that: a map that
    /// was not corrected denies the object once the parent does not show it any more.
    private func loadMap(of snapshot: UInt64?) async throws -> ObjectMap? {
        do { return try await replica.loadObjectMap(of: snapshot) } catch let error as CephError
            where error.isNotFound || error.code == EBADMSG || error.code == EINVAL {
            return nil
        }
    }

    /// The oldest snapshot's map says that an object came then, all others that it is there.
    private func note(_ objects: [UInt64], _ header: ImageHeader) async throws {
        guard !objects.isEmpty, header.features.contains(.objectMap) else { return }
        var isNew = true
        for snapshot in header.snapshots.map({ Optional($0.id) }) + [nil] {
            guard var map = try await loadMap(of: snapshot) else { continue }
            for number in objects where number < UInt64(map.count) { map[Int(number)] = isNew ? .exists : .existsClean }
            isNew = false
            try await replica.saveObjectMap(map, of: snapshot)
        }
    }
}

extension ImageHeader {
    /// The most that HEAD or a snapshot sees of the parent, in bytes.
    var widestOverlap: UInt64 { max(parent?.headOverlap ?? 0, snapshots.lazy.compactMap(\.parentOverlap).max() ?? 0) }
}
