internal import CephCore
internal import RBDImage

/// Finishes a sealed snapshot whose maker died between adding it and writing what belongs to it.
struct SealedPointRepair {
    let replica: ReplicaImage
    let source: SourceImage

    func run() async throws {
        let header = try await replica.refresh()
        guard let newest = header.mirrorSnapshots.last, let mirror = newest.mirror, SealedPoint.isSealed(mirror) else { return }
        try await replica.mendObjectMap(ofNewest: newest.id)
        let first = ObjectNames.mirrorSnapshotState(replica.id, snapshot: newest.id, index: 0)
        guard try await !replica.pool.exists(first) else { return }
        if let blob = try await blob(header, mirror) { try await replica.writeStateBlob(blob, of: newest.id) }
    }

    /// The working snapshot of the same point has it still; else the source, unless the point is gone there.
    private func blob(_ header: ImageHeader, _ mirror: MirrorSnapshot) async throws -> [UInt8]? {
        let twins = header.mirrorSnapshots.filter { $0.mirror?.primarySnapshotID == mirror.primarySnapshotID }
        for twin in twins.reversed() {
            if let blob = try? await replica.pool.stateBlob(ofImage: replica.id, snapshot: twin.id) { return blob }
        }
        return try? await source.stateBlob(of: mirror.primarySnapshotID)
    }
}
