import RBDImage
import Testing

@Suite struct ImageFeaturesTests {
    @Test func bitsAndMasks() {
        #expect(ImageFeatures.standard.rawValue == 0x3d)
        #expect(ImageFeatures.implicit.rawValue == 0xf92)
        #expect(ImageFeatures.mutable.rawValue == 0xc5c)
        #expect(ImageFeatures.disableOnly.rawValue == 0x20)
        #expect(ImageFeatures.incompatibleForReading.rawValue == 0x883)
        #expect(ImageFeatures.incompatibleForWriting.rawValue == 0xfff)
        #expect(ImageFeatures.standard.subtracting(.implicit).rawValue == 0x2d)
        #expect([OperationFeatures.cloneParent, .cloneChild, .group, .snapshotTrash].map(\.rawValue) == [1, 2, 4, 8])
    }

    @Test func names() {
        #expect(ImageFeatures.standard.description == "layering,exclusive-lock,object-map,fast-diff,deep-flatten")
        #expect(ImageFeatures(rawValue: 1 << 40 | 1 << 11).names == ["dirty-cache", "bit-40"])
        for name in ImageFeatures.incompatibleForWriting.names { #expect(ImageFeatures(name: name)?.names == [name]) }
        #expect(ImageFeatures(name: "unheard-of") == nil)
        #expect(ImageFeatures(name: "non-primary") == .nonPrimary)
    }
}

@Suite struct ObjectNamesTests {
    @Test func names() {
        #expect(ObjectNames.imageID(name: "vm") == "rbd_id.vm")
        #expect(ObjectNames.header("1036c631957") == "rbd_header.1036c631957")
        #expect(ObjectNames.objectMap("i") == "rbd_object_map.i")
        #expect(ObjectNames.objectMap("i", snapshot: 0x1f) == "rbd_object_map.i.000000000000001f")
        #expect(ObjectNames.mirrorSnapshotState("i", snapshot: 31, index: 0) == "rbd_mirror_snapshot.i.31.0")
        #expect(ObjectNames.data(prefix: ObjectNames.dataPrefix(imageID: "i"), 255) == "rbd_data.i.00000000000000ff")
        #expect(ObjectNames.dataPrefix(imageID: "i", metadataPool: 2) == "rbd_data.2.i")
        #expect(ObjectNames.mirrorInstance("4157") == "rbd_mirror_instance.4157")
        #expect(ObjectNames.snapshotKey(.max) == "snapshot_ffffffffffffffff")
    }

    @Test func numbersOfDataObjects() {
        let prefix = "rbd_data.i"
        for number in [0, 1, 0xff, UInt64.max] {
            #expect(ObjectNames.dataNumber(of: ObjectNames.data(prefix: prefix, number), prefix: prefix) == number)
        }
        for name in ["rbd_data.i.00000000000000fF", "rbd_data.i.0000000000000ff", "rbd_data.ii.00000000000000ff",
                     "rbd_data.i", "rbd_data.i.", "rbd_data.i.00000000000000f\u{661}", "rbd_header.i", "rbd_data.ix00000000000000ff"] {
            #expect(ObjectNames.dataNumber(of: name, prefix: prefix) == nil, "\(name)")
        }
    }
}
