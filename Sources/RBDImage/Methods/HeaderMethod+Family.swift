public import CephCore

/// Parents, children and groups.
extension HeaderMethod {
    /// The parent; its pool is -1 when there is none.
    public static func parentGet() -> ClassQuery<ParentImageSpec> {
        query("parent_get") { (d) throws(WireError) in try ParentImageSpec(from: &d) }
    }

    /// Bytes of the parent that HEAD or a snapshot sees.
    public static func parentOverlapGet(of snapshot: UInt64? = nil) -> ClassQuery<UInt64?> {
        query("parent_overlap_get", { $0.u64(snapshot ?? headSnapshotID) }) { (d) throws(WireError) in
            try d.optional { (d) throws(WireError) in try d.u64() }
        }
    }

    /// `EEXIST` with another parent, `EINVAL` for no overlap, `ENOEXEC` without layering.
    ///
    /// - Parameter overlap: Bytes; clipped to the image's size.
    public static func parentAttach(_ parent: ParentImageSpec, overlap: UInt64, again: Bool = false) -> ClassCall {
        call("parent_attach") {
            parent.encode(into: &$0)
            $0.u64(overlap)
            $0.bool(again)
        }
    }

    /// `ENOENT` when HEAD has no parent.
    public static func parentDetach() -> ClassCall { call("parent_detach") }

    /// On the parent: `ENOENT` for a snapshot in the trash, `EEXIST` when it is recorded.
    public static func childAttach(_ child: ChildImageSpec, to snapshot: UInt64) -> ClassCall {
        call("child_attach") {
            $0.u64(snapshot)
            child.encode(into: &$0)
        }
    }

    /// Calls `child_detach`.
    public static func childDetach(_ child: ChildImageSpec, from snapshot: UInt64) -> ClassCall {
        call("child_detach") {
            $0.u64(snapshot)
            child.encode(into: &$0)
        }
    }

    /// Calls `children_list`.
    public static func childrenList(of snapshot: UInt64) -> ClassQuery<[ChildImageSpec]> {
        query("children_list", { $0.u64(snapshot) }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 18) { (d) throws(WireError) in try ChildImageSpec(from: &d) }
        }
    }

    /// `EEXIST` when the image is in another group.
    public static func imageGroupAdd(_ group: GroupSpec) -> ClassCall { call("image_group_add") { group.encode(into: &$0) } }
    /// Calls `image_group_remove`.
    public static func imageGroupRemove(_ group: GroupSpec) -> ClassCall { call("image_group_remove") { group.encode(into: &$0) } }
    /// Calls `image_group_get`.
    public static func imageGroupGet() -> ClassQuery<GroupSpec> {
        query("image_group_get") { (d) throws(WireError) in try GroupSpec(from: &d) }
    }

    /// `EINVAL` for unknown bits.
    public static func setOperationFeatures(_ features: OperationFeatures, mask: OperationFeatures) -> ClassCall {
        call("op_features_set") {
            $0.u64(features.rawValue)
            $0.u64(mask.rawValue)
        }
    }

    /// Stamps the OSD's time.
    public static func setAccessTimestamp() -> ClassCall { call("set_access_timestamp") }
    /// Calls `set_modify_timestamp`.
    public static func setModifyTimestamp() -> ClassCall { call("set_modify_timestamp") }
}

/// Class methods of `rbd_children`: clones of format 1.
public enum ChildrenMethod {
    private static func key(_ parent: ParentImageSpec, _ encoder: inout Encoder) {
        encoder.i64(parent.poolID)
        encoder.string(parent.imageID)
        encoder.u64(parent.snapshotID)
    }

    /// Calls `add_child`.
    public static func add(_ child: String, of parent: ParentImageSpec) -> ClassCall {
        HeaderMethod.call("add_child") {
            key(parent, &$0)
            $0.string(child)
        }
    }

    /// Calls `remove_child`.
    public static func remove(_ child: String, of parent: ParentImageSpec) -> ClassCall {
        HeaderMethod.call("remove_child") {
            key(parent, &$0)
            $0.string(child)
        }
    }

    /// Image ids of the clones.
    public static func get(of parent: ParentImageSpec) -> ClassQuery<[String]> {
        HeaderMethod.query("get_children", { key(parent, &$0) }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.string() }
        }
    }
}

/// Class methods of a group's header object.
public enum GroupMethod {
    /// Calls `group_image_set`.
    public static func imageSet(_ image: GroupImage) -> ClassCall {
        HeaderMethod.call("group_image_set") { image.encode(into: &$0) }
    }
}
