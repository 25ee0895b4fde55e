import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct MethodReplyTests {
    @Test func fields() throws {
        let size = try HeaderMethod.getSize().decode(hex("16 0000004000000000"))
        #expect(size.order == 22 && size.size == 1 << 30)
        let features = try HeaderMethod.getFeatures(readOnly: true).decode(hex("3d00000000000000 0100000000000000"))
        #expect(features.features == .standard && features.incompatible == .layering)
        #expect(try HeaderMethod.getFlags().decode(hex("0300000000000000")) == [.objectMapInvalid, .fastDiffInvalid])
        #expect(try HeaderMethod.getOperationFeatures().decode(hex("0900000000000000")) == [.cloneParent, .snapshotTrash])
        let striping = try HeaderMethod.getStripeUnitCount().decode(hex("0010000000000000 0300000000000000"))
        #expect(striping.unit == 4096 && striping.count == 3)
        #expect(try HeaderMethod.getObjectPrefix().decode(hex("\"rbd_data.i\"")) == "rbd_data.i")
        #expect(try HeaderMethod.getDataPool().decode(hex("ffffffffffffffff")) == -1)
        #expect(try HeaderMethod.getCreateTimestamp().decode(hex("1c5d016b 1d47d22c")) == ImageRecordTests.time)
        #expect(try HeaderMethod.getAllFeatures().decode(hex("ff0f000000000000")).rawValue == 0xfff)
    }

    @Test func snapshotsAndMetadata() throws {
        let context = try HeaderMethod.snapshotContext().decode(hex("0900000000000000 02000000 0900000000000000 0400000000000000"))
        #expect(context.sequence == 9 && context.ids == [9, 4])
        #expect(try HeaderMethod.snapshotGet(4).decode(Samples.snapshotInfo).childCount == 5)
        #expect(try HeaderMethod.getSnapshotName(4).decode(hex("\"s1\"")) == "s1")
        #expect(try HeaderMethod.getProtectionStatus(4).decode([2]) == .protected)
        #expect(try HeaderMethod.snapshotGetLimit().decode(hex("0500000000000000")) == 5)
        #expect(try HeaderMethod.metadataGet("k").decode(hex("03000000 00ff80")) == [0, 0xff, 0x80])
        let list = try HeaderMethod.metadataList(after: "", limit: 0).decode(hex("02000000 \"a\" 01000000 ff \"b\" 00000000"))
        #expect(list.map(\.key) == ["a", "b"] && list.map(\.value) == [[0xff], []])
    }

    @Test func family() throws {
        #expect(try HeaderMethod.parentGet().decode(Samples.parentSpec).namespace == "ns")
        #expect(try HeaderMethod.parentOverlapGet().decode([0]) == nil)
        #expect(try HeaderMethod.parentOverlapGet().decode(hex("01 0010000000000000")) == 4096)
        #expect(try HeaderMethod.childrenList(of: 4).decode([1, 0, 0, 0] + Samples.childSpec)
            == [ChildImageSpec(poolID: 2, namespace: "ns", imageID: "1036c631957")])
        let none = ParentImageSpec(poolID: 0, imageID: "", snapshotID: 0)
        #expect(try ChildrenMethod.get(of: none).decode(hex("02000000 \"a\" \"b\"")) == ["a", "b"])
        #expect(try HeaderMethod.imageGroupGet().decode(Samples.groupSpec).id == "gid")
        #expect(try TrashMethod.get(id: "i").decode(Samples.trashSpec).name == "vm")
        let trash = try TrashMethod.list(after: "", limit: 9).decode(hex("01000000 \"i1\"") + Samples.trashSpec)
        #expect(trash.map(\.id) == ["i1"] && trash.map(\.spec.state) == [.removing])
        let images = try DirectoryMethod.list(after: "", limit: 9).decode(hex("01000000 \"vm\" \"i1\""))
        #expect(images.map(\.name) == ["vm"] && images.map(\.id) == ["i1"])
    }

    @Test func statuses() throws {
        let two = hex("02000000 \"i1\"") + Samples.mirrorImage + hex("\"i2\"") + Samples.oldMirrorImage
        let list = try MirroringMethod.statusList(after: "", limit: 9).decode(two + hex("01000000 \"i2\"") + Samples.imageStatus)
        #expect(list.map(\.id) == ["i1", "i2"] && list.map(\.image.mode) == [.snapshot, .journal])
        #expect(list[0].status == nil && list[1].status?.peers.count == 1)
        let summary = try MirroringMethod.statusSummary(of: []).decode(hex("02000000 04 03000000 06 01000000"))
        #expect(summary == [.replaying: 3, .stopped: 1])
        let address = hex("01 0101 1c000000 03000000 39300000 10000000 0200 0000 7f000001 0000000000000000")
        let instances = try MirroringMethod.imageInstanceList(after: "", limit: 9)
            .decode(hex("01000000 \"i1\" 08 3510000000000000") + address)
        #expect(instances.first?.instance.number == 4149 && instances.first?.instance.address.description == "127.0.0.1:0/12345")
        #expect(try MirroringMethod.remoteNamespaceGet().decode(hex("\"n\"")) == "n")
    }
}
