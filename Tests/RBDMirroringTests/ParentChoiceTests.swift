import RBDImage
@testable import RBDMirroring
import Testing

/// Which snapshot of the local parent stands for the source's.
@Suite struct ParentChoiceTests {
    private func header(_ snapshots: [ImageSnapshot]) throws -> ImageHeader {
        let u64 = { (value: UInt64) in withUnsafeBytes(of: value.littleEndian, Array.init) }
        var header = try ImageHeader(id: "parent", entries: [
            ("size", u64(1 << 20)), ("order", [22]), ("object_prefix", [1, 0, 0, 0, 0x78]), ("features", u64(1)),
        ])
        header.snapshots = snapshots
        return header
    }

    private func point(_ id: UInt64, _ ids: [UInt64: UInt64], complete: Bool = true) -> ImageSnapshot {
        ImageSnapshot(id: id, name: "point-\(id)", namespace: .mirror(MirrorSnapshot(
            state: .nonPrimary, complete: complete, primaryMirrorUUID: "there", primarySnapshotID: 9, snapshotIDs: ids)), size: 1 << 20)
    }

    @Test func byTheIDMapOfACompletePoint() throws {
        let remote = try header([ImageSnapshot(id: 3, name: "gold", size: 1 << 20)])
        // The one of that name is another one.
        let local = [ImageSnapshot(id: 5, name: "gold", size: 1 << 20), ImageSnapshot(id: 6, name: "old", size: 1 << 20)]
        #expect(ParentChoice.twin(of: 3, remote, try header(local + [point(7, [3: 6])])) == 6)
        #expect(ParentChoice.twin(of: 3, remote, try header(local + [point(7, [3: 6], complete: false)])) == nil)
        #expect(ParentChoice.twin(of: 3, remote, try header(local + [point(7, [4: 6])])) == nil)
        #expect(ParentChoice.twin(of: 3, remote, try header(local + [point(7, [3: 8])])) == nil)
    }

    @Test func byNameWhereTheLocalOneIsPrimary() throws {
        let remote = try header([ImageSnapshot(id: 3, name: "gold", size: 1 << 20)])
        let primary = ImageSnapshot(id: 9, name: "primary", namespace: .mirror(MirrorSnapshot(
            state: .primary, peers: ["peer"], primaryMirrorUUID: "", primarySnapshotID: 0, snapshotIDs: [:])), size: 1 << 20)
        let local = [ImageSnapshot(id: 5, name: "gold", size: 1 << 20)]
        #expect(ParentChoice.twin(of: 3, remote, try header(local + [primary])) == 5)
        #expect(ParentChoice.twin(of: 4, remote, try header(local + [primary])) == nil)
    }
}
