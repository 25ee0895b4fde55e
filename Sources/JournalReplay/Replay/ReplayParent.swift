internal import CephCore
internal import RBDImage

/// What a clone shows of its parent, on the replica's own cluster.
final class ReplayParent: Sendable {
    private let image: Image

    /// Nil for an image that is no clone any more.
    init?(of header: ImageHeader, in pool: Pool) async throws {
        guard let parent = header.parent, parent.headOverlap != nil else { return nil }
        let home = try await pool.cluster.pool(id: parent.poolID).inNamespace(parent.namespace)
        image = try await home.openImage(id: parent.imageID, at: .snapshotID(parent.snapshotID))
    }

    func close() async { try? await image.close() }

    /// Gives an object that is not there what HEAD and the snapshots see of the parent; one that is there is left alone.
    ///
    /// Snapshots may see more of it than HEAD: that is cut off in HEAD afterwards.
    func copyUp(_ object: UInt64, _ header: ImageHeader, _ replica: ReplicaImage) async throws {
        let head = header.parent?.headOverlap ?? 0
        let overlap = header.snapshots.compactMap(\.parentOverlap).reduce(head, max)
        var extents: [(offset: UInt64, bytes: [UInt8])] = []
        var seen: UInt64 = 0
        var offset: UInt64 = 0
        for extent in header.layout.imageExtents(of: object, 0..<header.layout.objectSize) {
            let end = min(extent.upperBound, overlap)
            if extent.lowerBound < end {
                let bytes = try await image.read(extent.lowerBound..<end)
                if !bytes.allSatisfy({ $0 == 0 }) { extents.append((offset, bytes)) }
            }
            if extent.lowerBound < head { seen = offset + min(UInt64(extent.count), head - extent.lowerBound) }
            offset += UInt64(extent.count)
        }
        let name = header.objectName(object)
        // Without a snapshot context it is there for all snapshots.
        var copy = WriteOperation()
        copy.call(DataObjectMethod.sparseCopyUp(extents))
        try await replica.dataPool.apply(copy, to: name)
        guard overlap > head else { return }
        var cut = WriteOperation()
        cut.truncate(to: seen)
        try await replica.dataPool.writing(in: header.writeContext).apply(cut, to: name)
    }
}
