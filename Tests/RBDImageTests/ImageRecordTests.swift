import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct ImageRecordTests {
    static let time = CephTime(seconds: 0x6b01_5d1c, nanoseconds: 0x2cd2_471d)
    static let plain = ImageSnapshot(id: 4, name: "s1", size: 16 << 20, timestamp: time)
    static let clone = ImageSnapshot(
        id: 4, name: "s1", size: 16 << 20, timestamp: time, childCount: 5, protection: .protected,
        flags: [.objectMapInvalid, .fastDiffInvalid], parentOverlap: 4 << 20)

    private func record(_ bytes: [UInt8]) throws -> ImageSnapshot {
        try Decoder.decode(bytes) { (d) throws(WireError) in try ImageSnapshot(record: &d) }
    }

    @Test func snapshotRecords() throws {
        #expect(Self.plain.record == Samples.snapshotRecord)
        #expect(Self.clone.record == Samples.snapshotRecordOfClone)
        #expect(try record(Samples.snapshotRecord) == Self.plain)
        #expect(try record(Samples.snapshotRecordOfClone) == Self.clone)
        var shown = Self.plain
        shown.childCount = 5
        #expect(try Decoder.decode(Samples.snapshotInfo) { (d) throws(WireError) in try ImageSnapshot(info: &d) } == shown)
    }

    /// Record `version` of OSDs before nautilus, with a parent inside from version 2 on.
    static func olderRecord(version: UInt8, parentPool: Int64 = 2, overlap: UInt64? = 4 << 20) -> [UInt8] {
        Encoder.encode {
            $0.frame(version: version, compat: 1) {
                $0.u64(4)
                $0.string("s1")
                $0.u64(16 << 20)
                $0.u64(0x3d)
                if version >= 2 {
                    $0.frame(version: 1, compat: 1) {
                        $0.i64(parentPool)
                        $0.string("1036c631957")
                        $0.u64(7)
                        $0.u64(4 << 20)
                    }
                }
                if version >= 3 { $0.u8(2) }
                if version >= 4 { $0.u64(3) }
                if version >= 5 { $0.raw(Samples.userNamespace) }
                if version >= 6 { Self.time.encode(into: &$0) }
                if version >= 7 { $0.u32(5) }
                if version >= 8 { $0.optional(overlap) { $0.u64($1) } }
            }
        }
    }

    @Test(arguments: UInt8(1)...8) func olderSnapshotRecords(_ version: UInt8) throws {
        var expected = ImageSnapshot(id: 4, name: "s1", size: 16 << 20)
        if version >= 2 { expected.parentOverlap = 4 << 20 }
        if version >= 3 { expected.protection = .protected }
        if version >= 4 { expected.flags = [.objectMapInvalid, .fastDiffInvalid] }
        if version >= 6 { expected.timestamp = Self.time }
        if version >= 7 { expected.childCount = 5 }
        #expect(try record(Self.olderRecord(version: version)) == expected)
    }

    @Test func parentInsideAnOlderRecord() throws {
        #expect(try record(Self.olderRecord(version: 7, parentPool: -1)).parentOverlap == nil)
        #expect(try record(Self.olderRecord(version: 8, overlap: nil)).parentOverlap == 4 << 20)
        #expect(try record(Self.olderRecord(version: 8, overlap: 1 << 20)).parentOverlap == 1 << 20)
    }

    @Test func newerRecordsAreRefusedOnlyWhenIncompatible() throws {
        var bytes = Samples.snapshotRecord
        bytes[0] = 9
        #expect(try record(bytes) == Self.plain)
        bytes[1] = 9
        #expect(throws: WireError(.incompatible, at: 0)) { try record(bytes) }
    }

    @Test func parents() throws {
        let parent = ParentRecord(poolID: 2, namespace: "ns", imageID: "1036c631957", snapshotID: 4, headOverlap: 4 << 20)
        #expect(parent.encoded == Samples.parentRecord)
        #expect(try ParentRecord(encoded: Samples.parentRecord) == parent)
        var old = parent
        old.namespace = ""
        #expect(try ParentRecord(encoded: Samples.oldParentRecord) == old)
        let spec = ParentImageSpec(poolID: 2, namespace: "ns", imageID: "1036c631957", snapshotID: 4)
        #expect(spec.encoded == Samples.parentSpec)
        #expect(try ParentImageSpec(encoded: Samples.parentSpec) == spec)
        let child = ChildImageSpec(poolID: 2, namespace: "ns", imageID: "1036c631957")
        #expect(child.encoded == Samples.childSpec)
        #expect(try ChildImageSpec(encoded: Samples.childSpec) == child)
        #expect(try ChildImageSpec(encoded: Samples.oldChildSpec) == ChildImageSpec(poolID: 2, imageID: "1036c631957"))
    }

    @Test func groupsAndTrash() throws {
        #expect(GroupSpec(poolID: 2, id: "gid").encoded == Samples.groupSpec)
        #expect(try GroupSpec(encoded: Samples.groupSpec) == GroupSpec(poolID: 2, id: "gid"))
        let image = GroupImage(poolID: 2, imageID: "1036c631957", state: .incomplete)
        #expect(image.encoded == Samples.groupImage)
        #expect(try GroupImage(encoded: Samples.groupImage) == image)
        #expect(image.key == "image_0000000000000002_1036c631957")
        let trash = TrashImageSpec(
            source: .mirroring, name: "vm", deleted: CephTime(seconds: 0x6b01_5d1c),
            defermentEnd: CephTime(seconds: 0x6b01_5d1d), state: .removing)
        #expect(trash.encoded == Samples.trashSpec)
        #expect(try TrashImageSpec(encoded: Samples.trashSpec) == trash)
    }

    @Test func trashNotifications() throws {
        let spec = try TrashImageSpec(encoded: Samples.trashSpec)
        let golden: [(TrashNotification, [UInt8])] = [
            (.imageAdded(id: "i1", spec), Samples.trashAdded), (.imageRemoved(id: "i1"), Samples.trashRemoved),
        ]
        for (value, bytes) in golden {
            #expect(value.encoded == bytes)
            #expect(try TrashNotification(encoded: bytes) == value)
        }
        #expect(try TrashNotification(encoded: hex("0101 04000000 09000000")) == .unknown(9))
    }
}
