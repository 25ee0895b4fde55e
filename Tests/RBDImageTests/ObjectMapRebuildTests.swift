import CephCore
import Testing
@testable import RBDImage

/// Object maps made anew from an object's revisions.
@Suite struct ObjectMapRebuildTests {
    private static func clone(_ id: UInt64, _ snapshots: [UInt64]) -> ObjectClone {
        ObjectClone(id: id, snapshots: snapshots, size: 1, overlap: [])
    }

    private static let head = clone(ObjectClone.headID, [])

    @Test(arguments: [
        // Written before the first snapshot and never since.
        (ObjectSnapshotSet(sequence: 0, clones: [head]), [1, 3, 3, 3]),
        // Written again after the second.
        (ObjectSnapshotSet(sequence: 4, clones: [clone(4, [2, 4]), head]), [1, 3, 1, 3]),
        // Removed after the second.
        (ObjectSnapshotSet(sequence: 4, clones: [clone(4, [2, 4])]), [1, 3, 0, 0]),
        // Made after the third.
        (ObjectSnapshotSet(sequence: 6, clones: [head]), [0, 0, 0, 1]),
        // Removed after the first, made again after the second.
        (ObjectSnapshotSet(sequence: 4, clones: [clone(2, [2]), head]), [1, 0, 1, 3]),
    ] as [(ObjectSnapshotSet, [UInt8])])
    func everyPoint(_ set: ObjectSnapshotSet, _ states: [UInt8]) {
        #expect(set.states(at: [2, 4, 6], tellsClean: true).map(\.rawValue) == states)
        #expect(set.states(at: [2, 4, 6], tellsClean: false).map(\.rawValue) == states.map { $0 == 3 ? 1 : $0 })
    }
}
