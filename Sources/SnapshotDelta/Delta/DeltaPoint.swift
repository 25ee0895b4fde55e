internal import CephCore
internal import RBDImage

/// One end of a delta, as the image's header had it.
struct DeltaPoint: Hashable, Sendable {
    /// A snapshot's id, or that of HEAD.
    let id: UInt64
    /// Nil for HEAD.
    let name: String?
    /// Bytes.
    let size: UInt64
    /// Bytes from the image's begin in which the parent shows where the image has no object.
    let overlap: UInt64

    var isHead: Bool { id == headSnapshotID }
}

extension ImageHeader {
    var headPoint: DeltaPoint {
        DeltaPoint(id: headSnapshotID, name: nil, size: size, overlap: min(parent?.headOverlap ?? 0, size))
    }

    /// The point that a caller names; nil when there is none.
    func point(_ reference: Image.SnapshotReference, mayBeTrash: Bool = false) -> DeltaPoint? {
        let snapshot = switch reference.kind {
        case .name(let name): userSnapshots.first { $0.name == name }
        case .id(let id): snapshot(id)
        }
        return snapshot.flatMap { point($0, mayBeTrash: mayBeTrash) }
    }

    /// A snapshot is in the trash namespace before its data goes, so it is no point any more.
    private func point(_ snapshot: ImageSnapshot, mayBeTrash: Bool) -> DeltaPoint? {
        if case .trash = snapshot.namespace, !mayBeTrash { return nil }
        return DeltaPoint(
            id: snapshot.id, name: snapshot.name, size: snapshot.size, overlap: min(snapshot.parentOverlap ?? 0, snapshot.size))
    }

    /// Whether a point is as it was; a snapshot's name may have changed.
    func still(has point: DeltaPoint, mayBeTrash: Bool) -> Bool {
        let now = point.isHead ? headPoint : self.point(.snapshotID(point.id), mayBeTrash: mayBeTrash)
        return now?.size == point.size && now?.overlap == point.overlap
    }
}
