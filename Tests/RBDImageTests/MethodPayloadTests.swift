import CephCore
import RBDImage
import TestSupport
import Testing

/// What each class method is given, byte for byte.
@Suite struct MethodPayloadTests {
    private func check(_ expected: [(ClassCall, String, String)]) {
        for (call, method, input) in expected {
            #expect(call.className == "rbd" && call.method == method)
            #expect(call.input == hex(input), "\(method)")
        }
    }

    @Test func images() {
        check([
            (DirectoryMethod.addImage(name: "vm", id: "i1"), "dir_add_image", "\"vm\" \"i1\""),
            (DirectoryMethod.assertReady(), "dir_state_assert", "00"),
            (DirectoryMethod.removeImage(name: "vm", id: "i1"), "dir_remove_image", "\"vm\" \"i1\""),
            (DirectoryMethod.renameImage(from: "vm", to: "wm", id: "i1"), "dir_rename_image", "\"vm\" \"wm\" \"i1\""),
            (DirectoryMethod.getID(name: "vm"), "dir_get_id", "\"vm\""),
            (DirectoryMethod.getName(id: "i1"), "dir_get_name", "\"i1\""),
            (DirectoryMethod.list(after: "vm", limit: 64).call, "dir_list", "\"vm\" 4000000000000000"),
            (IDMethod.setID("i1"), "set_id", "\"i1\""),
            (IDMethod.getID(), "get_id", ""),
            (HeaderMethod.create(size: 1 << 30, order: 22, features: [.layering, .nonPrimary], prefix: "rbd_data.i1", dataPool: nil),
             "create", "0000004000000000 16 0104000000000000 \"rbd_data.i1\" ffffffffffffffff"),
            (HeaderMethod.create(size: 0, order: 12, features: .dataPool, prefix: "p", dataPool: 3),
             "create", "0000000000000000 0c 8000000000000000 \"p\" 0300000000000000"),
            (HeaderMethod.getSize().call, "get_size", "feffffffffffffff"),
            (HeaderMethod.getSize(of: 4).call, "get_size", "0400000000000000"),
            (HeaderMethod.setSize(4096), "set_size", "0010000000000000"),
            (HeaderMethod.getFeatures(readOnly: true).call, "get_features", "feffffffffffffff 01"),
            (HeaderMethod.setFeatures(.nonPrimary, mask: [.nonPrimary, .journaling]), "set_features", "0004000000000000 4004000000000000"),
            (HeaderMethod.getFlags(of: 4).call, "get_flags", "0400000000000000"),
            (HeaderMethod.setFlags(.objectMapInvalid, mask: [.objectMapInvalid, .fastDiffInvalid]), "set_flags",
             "0100000000000000 0300000000000000 feffffffffffffff"),
            (HeaderMethod.setFlags([], mask: .fastDiffInvalid, snapshot: 4), "set_flags", "0000000000000000 0200000000000000 0400000000000000"),
            (HeaderMethod.getOperationFeatures().call, "op_features_get", ""),
            (HeaderMethod.setOperationFeatures(.cloneChild, mask: [.cloneChild, .group]), "op_features_set", "0200000000000000 0600000000000000"),
            (HeaderMethod.getStripeUnitCount().call, "get_stripe_unit_count", ""),
            (HeaderMethod.setStripeUnitCount(unit: 4096, count: 3), "set_stripe_unit_count", "0010000000000000 0300000000000000"),
            (HeaderMethod.getObjectPrefix().call, "get_object_prefix", ""), (HeaderMethod.getDataPool().call, "get_data_pool", ""),
            (HeaderMethod.getCreateTimestamp().call, "get_create_timestamp", ""),
            (HeaderMethod.getAccessTimestamp().call, "get_access_timestamp", ""),
            (HeaderMethod.getModifyTimestamp().call, "get_modify_timestamp", ""),
            (HeaderMethod.setAccessTimestamp(), "set_access_timestamp", ""), (HeaderMethod.setModifyTimestamp(), "set_modify_timestamp", ""),
            (HeaderMethod.getAllFeatures().call, "get_all_features", ""),
            (NamespaceMethod.list(after: "", limit: 2), "namespace_list", "\"\" 0200000000000000"),
        ])
    }

    @Test func snapshots() {
        check([
            (HeaderMethod.snapshotContext().call, "get_snapcontext", ""),
            (HeaderMethod.snapshotGet(4).call, "snapshot_get", "0400000000000000"),
            (HeaderMethod.getSnapshotName(4).call, "get_snapshot_name", "0400000000000000"),
            (HeaderMethod.getSnapshotTimestamp(4).call, "get_snapshot_timestamp", "0400000000000000"),
            (HeaderMethod.snapshotAdd(name: "s1", id: 4, namespace: .user), "snapshot_add", "\"s1\" 0400000000000000 0101 04000000 00000000"),
            (HeaderMethod.snapshotRename(4, to: "s2"), "snapshot_rename", "0400000000000000 \"s2\""),
            (HeaderMethod.snapshotTrashAdd(4), "snapshot_trash_add", "0400000000000000"),
            (HeaderMethod.snapshotRemove(4), "snapshot_remove", "0400000000000000"),
            (HeaderMethod.getProtectionStatus(4).call, "get_protection_status", "0400000000000000"),
            (HeaderMethod.setProtectionStatus(4, .protected), "set_protection_status", "0400000000000000 02"),
            (HeaderMethod.snapshotGetLimit().call, "snapshot_get_limit", ""),
            (HeaderMethod.snapshotSetLimit(.max), "snapshot_set_limit", "ffffffffffffffff"),
            (HeaderMethod.mirrorSnapshotUnlinkPeer(4, peer: "p"), "mirror_image_snapshot_unlink_peer", "0400000000000000 \"p\""),
            (HeaderMethod.mirrorSnapshotSetCopyProgress(4, complete: true, lastCopied: 9), "mirror_image_snapshot_set_copy_progress",
             "0400000000000000 01 0900000000000000"),
        ])
    }

    @Test func objectMapsAndDataObjects() {
        let map = ObjectMap(count: 5, filledWith: .existsClean)
        check([
            (ObjectMapMethod.load(), "object_map_load", ""),
            (ObjectMapMethod.resize(count: 5, fill: .exists), "object_map_resize", "0500000000000000 01"),
            (ObjectMapMethod.update(2..<7, to: .pending, from: .exists), "object_map_update", "0200000000000000 0700000000000000 02 01 01"),
            (ObjectMapMethod.update(2..<7, to: .exists), "object_map_update", "0200000000000000 0700000000000000 01 00"),
            (ObjectMapMethod.snapshotAdd(), "object_map_snap_add", ""),
            (DataObjectMethod.copyUp([1, 2, 3]), "copyup", "010203"),
            (DataObjectMethod.sparseCopyUp([(4096, [1, 2]), (8192, [3])]), "sparse_copyup",
             "02000000 0010000000000000 0200000000000000 0020000000000000 0100000000000000 03000000 010203"),
            (DataObjectMethod.sparseCopyUp([]), "sparse_copyup", "00000000 00000000"),
            (DataObjectMethod.assertSnapshotSequence(7, isNewer: true), "assert_snapc_seq", "0700000000000000 00"),
            (DataObjectMethod.assertSnapshotSequence(7, isNewer: false), "assert_snapc_seq", "0700000000000000 01"),
            (DataObjectMethod.sparsify(blockSize: 4096, removeIfEmpty: true), "sparsify", "0010000000000000 01"),
        ])
        #expect(ObjectMapMethod.save(map) == ClassCall("rbd", "object_map_save", input: map.encoded))
        #expect(ObjectMapMethod.snapshotRemove(map) == ClassCall("rbd", "object_map_snap_remove", input: map.encoded))
    }

    @Test func familyMetadataAndTrash() {
        let parent = ParentImageSpec(poolID: 2, imageID: "i1", snapshotID: 4)
        let child = ChildImageSpec(poolID: 2, imageID: "i2")
        let group = "0101 0d000000 0200000000000000 \"g\""
        let spec = TrashImageSpec(source: .user, name: "vm", deleted: .zero, defermentEnd: .zero)
        check([
            (HeaderMethod.parentGet().call, "parent_get", ""),
            (HeaderMethod.parentOverlapGet().call, "parent_overlap_get", "feffffffffffffff"),
            (HeaderMethod.parentAttach(parent, overlap: 4096), "parent_attach",
             "0101 1a000000 0200000000000000 \"\" \"i1\" 0400000000000000 0010000000000000 00"),
            (HeaderMethod.parentDetach(), "parent_detach", ""),
            (HeaderMethod.childAttach(child, to: 4), "child_attach", "0400000000000000 0201 12000000 0200000000000000 \"i2\" \"\""),
            (HeaderMethod.childDetach(child, from: 4), "child_detach", "0400000000000000 0201 12000000 0200000000000000 \"i2\" \"\""),
            (HeaderMethod.childrenList(of: 4).call, "children_list", "0400000000000000"),
            (ChildrenMethod.add("i2", of: parent), "add_child", "0200000000000000 \"i1\" 0400000000000000 \"i2\""),
            (ChildrenMethod.remove("i2", of: parent), "remove_child", "0200000000000000 \"i1\" 0400000000000000 \"i2\""),
            (ChildrenMethod.get(of: parent).call, "get_children", "0200000000000000 \"i1\" 0400000000000000"),
            (HeaderMethod.metadataSet(["b": [2], "a": [1]]), "metadata_set", "02000000 \"a\" 01000000 01 \"b\" 01000000 02"),
            (HeaderMethod.metadataGet("a").call, "metadata_get", "\"a\""),
            (HeaderMethod.metadataRemove("a"), "metadata_remove", "\"a\""),
            (HeaderMethod.metadataList(after: "a", limit: 0).call, "metadata_list", "\"a\" 0000000000000000"),
            (HeaderMethod.imageGroupAdd(GroupSpec(poolID: 2, id: "g")), "image_group_add", group),
            (HeaderMethod.imageGroupRemove(GroupSpec(poolID: 2, id: "g")), "image_group_remove", group),
            (HeaderMethod.imageGroupGet().call, "image_group_get", ""),
            (GroupMethod.imageSet(GroupImage(poolID: 2, imageID: "i", state: .attached)), "group_image_set",
             "0101 14000000 0101 0d000000 \"i\" 0200000000000000 00"),
            (TrashMethod.add(id: "i1", spec), "trash_add", "\"i1\" 0201 18000000 00 \"vm\" 0000000000000000 0000000000000000 00"),
            (TrashMethod.get(id: "i1").call, "trash_get", "\"i1\""), (TrashMethod.remove(id: "i1"), "trash_remove", "\"i1\""),
            (TrashMethod.list(after: "", limit: 3).call, "trash_list", "\"\" 0300000000000000"),
            (TrashMethod.setState(id: "i1", to: 2, from: 0), "trash_state_set", "\"i1\" 02 00"),
        ])
    }

    @Test func mirroring() {
        let image = MirrorImage(globalID: "g", state: .creating, mode: .snapshot)
        let status = MirrorSiteStatus(state: .stopped, description: "")
        let peer = MirrorPeer(uuid: "u", siteName: "s", clientName: "c")
        let peerBytes = "0201 24000000 \"u\" \"s\" \"c\" ffffffffffffffff 02 \"\" 0000000000000000"
        check([
            (MirroringMethod.uuidGet(), "mirror_uuid_get", ""), (MirroringMethod.uuidSet("u"), "mirror_uuid_set", "\"u\""),
            (MirroringMethod.modeGet(), "mirror_mode_get", ""), (MirroringMethod.modeSet(.image), "mirror_mode_set", "01000000"),
            (MirroringMethod.peerPing(siteName: "s", mirrorUUID: "u"), "mirror_peer_ping", "\"s\" \"u\" 01"),
            (MirroringMethod.peerList(), "mirror_peer_list", ""), (MirroringMethod.peerAdd(peer), "mirror_peer_add", peerBytes),
            (MirroringMethod.peerRemove(uuid: "u"), "mirror_peer_remove", "\"u\""),
            (MirroringMethod.peerSetClient(uuid: "u", "c"), "mirror_peer_set_client", "\"u\" \"c\""),
            (MirroringMethod.peerSetSite(uuid: "u", "s"), "mirror_peer_set_cluster", "\"u\" \"s\""),
            (MirroringMethod.peerSetDirection(uuid: "u", .receive), "mirror_peer_set_direction", "\"u\" 00"),
            (MirroringMethod.imageList(after: "i", limit: 9), "mirror_image_list", "\"i\" 0900000000000000"),
            (MirroringMethod.imageGet(id: "i"), "mirror_image_get", "\"i\""),
            (MirroringMethod.imageGetImageID(globalID: "g"), "mirror_image_get_image_id", "\"g\""),
            (MirroringMethod.imageSet(id: "i", image), "mirror_image_set", "\"i\" 0201 07000000 \"g\" 03 01"),
            (MirroringMethod.imageRemove(id: "i"), "mirror_image_remove", "\"i\""),
            (MirroringMethod.statusSet(globalID: "g", status), "mirror_image_status_set", "\"g\" 0101 0e000000 06 \"\" 0000000000000000 01"),
            (MirroringMethod.statusRemove(globalID: "g"), "mirror_image_status_remove", "\"g\""),
            (MirroringMethod.statusRemove(globalID: "g", mirrorUUID: "u"), "mirror_image_status_remove", "\"g\" \"u\""),
            (MirroringMethod.statusGet(globalID: "g"), "mirror_image_status_get", "\"g\""),
            (MirroringMethod.statusList(after: "i", limit: 9).call, "mirror_image_status_list", "\"i\" 0900000000000000"),
            (MirroringMethod.statusSummary(of: [peer]).call, "mirror_image_status_get_summary", "01000000" + peerBytes),
            (MirroringMethod.statusRemoveDown(), "mirror_image_status_remove_down", ""),
            (MirroringMethod.imageInstanceGet(globalID: "g").call, "mirror_image_instance_get", "\"g\""),
            (MirroringMethod.imageInstanceList(after: "i", limit: 9).call, "mirror_image_instance_list", "\"i\" 0900000000000000"),
            (MirroringMethod.remoteNamespaceGet().call, "mirror_remote_namespace_get", ""),
            (MirroringMethod.remoteNamespaceSet("n"), "mirror_remote_namespace_set", "\"n\""),
            (MirroringMethod.instancesList(), "mirror_instances_list", ""), (MirroringMethod.instancesAdd("7"), "mirror_instances_add", "\"7\""),
            (MirroringMethod.instancesRemove("7"), "mirror_instances_remove", "\"7\""),
            (MirroringMethod.imageMapList(after: "g", limit: 9), "mirror_image_map_list", "\"g\" 0900000000000000"),
            (MirroringMethod.imageMapUpdate(globalID: "g", MirrorImageMapEntry(instanceID: "7", mappedTime: .zero)), "mirror_image_map_update",
             "\"g\" 0101 1b000000 \"7\" 0000000000000000 0a000000 0101 04000000 00000000"),
            (MirroringMethod.imageMapRemove(globalID: "g"), "mirror_image_map_remove", "\"g\""),
        ])
    }
}
