internal import CephCore
internal import RBDImage
internal import SnapshotDelta

/// Objects of a clone that its source got behind its snapshots while they were being copied.
final class BroughtBehind: Sendable {
    private let objects = Locked(Set<UInt64>())

    /// Gives the replica an object as the source has it at a point, for all snapshots.
    func bring(_ number: UInt64, at point: UInt64, _ sides: SyncSides, _ header: ImageHeader) async throws {
        let target = try sides.replica.dataPool.writing(in: SnapshotContext([]))
        let copy = CopyBehind(
            source: try sides.source.dataPool.reading(at: point), target: target, targetAtPoint: target,
            sourceName: { [source = sides.source.header] in source.objectName($0) }, targetName: { header.objectName($0) },
            objectSize: header.layout.objectSize, memory: sides.memory, limits: sides.limits)
        _ = try await copy.run([number], isKnownMissing: true)
        objects.withLock { _ = $0.insert(number) }
    }

    /// Has the maps of all snapshots say that they are there: the oldest one that they came then.
    func note(in replica: ReplicaImage) async throws {
        let numbers = objects.withLock { $0.sorted() }
        guard !numbers.isEmpty else { return }
        for (index, snapshot) in try await replica.refresh().snapshots.enumerated() {
            guard var map = try await replica.loadObjectMap(of: snapshot.id) else { continue }
            for number in numbers where number < UInt64(map.count) && map[Int(number)] == .nonexistent {
                map[Int(number)] = index == 0 ? .exists : .existsClean
            }
            try await replica.saveObjectMap(map, of: snapshot.id)
        }
    }
}
