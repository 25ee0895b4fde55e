public import CephCore

/// Class methods of an image's header object (class `rbd`).
public enum HeaderMethod {
    static func call(_ method: String, _ body: (inout Encoder) -> Void = { _ in }) -> ClassCall {
        ClassCall("rbd", method, input: Encoder.encode(body))
    }

    /// Makes a header object an image's. `EEXIST` when it is one already.
    public static func create(
        size: UInt64, order: UInt8, features: ImageFeatures, prefix: String, dataPool: Int64?
    ) -> ClassCall {
        call("create") {
            $0.u64(size)
            $0.u8(order)
            $0.u64(features.rawValue)
            $0.string(prefix)
            $0.i64(dataPool ?? -1)
        }
    }

    public static func setSize(_ size: UInt64) -> ClassCall { call("set_size") { $0.u64(size) } }

    /// `EINVAL` for bits that cannot be changed.
    public static func setFeatures(_ features: ImageFeatures, mask: ImageFeatures) -> ClassCall {
        call("set_features") {
            $0.u64(features.rawValue)
            $0.u64(mask.rawValue)
        }
    }

    /// - Parameter snapshot: Nil for HEAD.
    public static func setFlags(_ flags: ImageFlags, mask: ImageFlags, snapshot: UInt64? = nil) -> ClassCall {
        call("set_flags") {
            $0.u64(flags.rawValue)
            $0.u64(mask.rawValue)
            $0.u64(snapshot ?? headSnapshotID)
        }
    }

    public static func setStripeUnitCount(unit: UInt64, count: UInt64) -> ClassCall {
        call("set_stripe_unit_count") {
            $0.u64(unit)
            $0.u64(count)
        }
    }

    /// `ESTALE` for an id below the image's highest, `EEXIST` for a name in use, `EDQUOT` at the snapshot limit.
    public static func snapshotAdd(name: String, id: UInt64, namespace: SnapshotNamespace) -> ClassCall {
        call("snapshot_add") {
            $0.string(name)
            $0.u64(id)
            namespace.encode(into: &$0)
        }
    }

    /// User snapshots only.
    public static func snapshotRename(_ id: UInt64, to name: String) -> ClassCall {
        call("snapshot_rename") {
            $0.u64(id)
            $0.string(name)
        }
    }

    /// Marks a snapshot as going: `EBUSY` when protected, `EEXIST` when it is marked already.
    public static func snapshotTrashAdd(_ id: UInt64) -> ClassCall { call("snapshot_trash_add") { $0.u64(id) } }

    public static func snapshotRemove(_ id: UInt64) -> ClassCall { call("snapshot_remove") { $0.u64(id) } }

    public static func setProtectionStatus(_ id: UInt64, _ protection: SnapshotProtection) -> ClassCall {
        call("set_protection_status") {
            $0.u64(id)
            $0.u8(protection.rawValue)
        }
    }

    /// `UInt64.max` removes the limit; `ERANGE` below the present number.
    public static func snapshotSetLimit(_ limit: UInt64) -> ClassCall { call("snapshot_set_limit") { $0.u64(limit) } }

    public static func metadataSet(_ values: [String: [UInt8]]) -> ClassCall {
        call("metadata_set") {
            $0.list(values.sorted { $0.key < $1.key }) {
                $0.string($1.key)
                $0.blob($1.value)
            }
        }
    }

    public static func metadataRemove(_ key: String) -> ClassCall { call("metadata_remove") { $0.string(key) } }

    /// Takes a peer off a mirror snapshot: `ENOENT` when it is not listed.
    public static func mirrorSnapshotUnlinkPeer(_ id: UInt64, peer: String) -> ClassCall {
        call("mirror_image_snapshot_unlink_peer") {
            $0.u64(id)
            $0.string(peer)
        }
    }

    /// The number is kept for non-primary snapshots only.
    public static func mirrorSnapshotSetCopyProgress(_ id: UInt64, complete: Bool, lastCopied: UInt64) -> ClassCall {
        call("mirror_image_snapshot_set_copy_progress") {
            $0.u64(id)
            $0.bool(complete)
            $0.u64(lastCopied)
        }
    }
}

/// Class methods of an `rbd_id.…` object.
public enum IDMethod {
    public static func setID(_ id: String) -> ClassCall { HeaderMethod.call("set_id") { $0.string(id) } }
    public static func getID() -> ClassCall { HeaderMethod.call("get_id") }
}

/// Class methods of `rbd_directory`.
public enum DirectoryMethod {
    private static func call(_ method: String, _ words: String...) -> ClassCall {
        HeaderMethod.call(method) { encoder in for word in words { encoder.string(word) } }
    }

    /// `EEXIST` when the name is taken, `EBADF` when the id is.
    public static func addImage(name: String, id: String) -> ClassCall { call("dir_add_image", name, id) }
    public static func removeImage(name: String, id: String) -> ClassCall { call("dir_remove_image", name, id) }
    public static func renameImage(from old: String, to new: String, id: String) -> ClassCall {
        call("dir_rename_image", old, new, id)
    }
    public static func getID(name: String) -> ClassCall { call("dir_get_id", name) }
    public static func getName(id: String) -> ClassCall { call("dir_get_name", id) }
}

/// Class methods of `rbd_namespace`.
public enum NamespaceMethod {
    public static func list(after: String, limit: UInt64) -> ClassCall {
        HeaderMethod.call("namespace_list") {
            $0.string(after)
            $0.u64(limit)
        }
    }
}

/// Class methods of object-map objects.
public enum ObjectMapMethod {
    public static func load() -> ClassCall { HeaderMethod.call("object_map_load") }
    public static func save(_ map: ObjectMap) -> ClassCall { ClassCall("rbd", "object_map_save", input: map.encoded) }

    /// Creates a missing map; shrinking fails with `ESTALE` when a dropped entry is not `fill`.
    public static func resize(count: UInt64, fill: ObjectState) -> ClassCall {
        HeaderMethod.call("object_map_resize") {
            $0.u64(count)
            $0.u8(fill.rawValue)
        }
    }

    public static func update(_ range: Range<UInt64>, to state: ObjectState, from current: ObjectState? = nil) -> ClassCall {
        HeaderMethod.call("object_map_update") {
            $0.u64(range.lowerBound)
            $0.u64(range.upperBound)
            $0.u8(state.rawValue)
            $0.optional(current) { $0.u8($1.rawValue) }
        }
    }

    /// A snapshot was taken: what exists is clean from now on.
    public static func snapshotAdd() -> ClassCall { HeaderMethod.call("object_map_snap_add") }

    /// An older snapshot goes: what it had changed counts as changed here.
    public static func snapshotRemove(_ removed: ObjectMap) -> ClassCall {
        ClassCall("rbd", "object_map_snap_remove", input: removed.encoded)
    }
}

/// Class methods of `rbd_trash`.
public enum TrashMethod {
    public static func add(id: String, _ spec: TrashImageSpec) -> ClassCall {
        HeaderMethod.call("trash_add") {
            $0.string(id)
            spec.encode(into: &$0)
        }
    }
    public static func remove(id: String) -> ClassCall { HeaderMethod.call("trash_remove") { $0.string(id) } }
    public static func get(id: String) -> ClassCall { HeaderMethod.call("trash_get") { $0.string(id) } }
    public static func list(after: String, limit: UInt64) -> ClassCall {
        HeaderMethod.call("trash_list") {
            $0.string(after)
            $0.u64(limit)
        }
    }
    /// `ESTALE` when the present state is not the expected one.
    public static func setState(id: String, to state: UInt8, from expected: UInt8) -> ClassCall {
        HeaderMethod.call("trash_state_set") {
            $0.string(id)
            $0.u8(state)
            $0.u8(expected)
        }
    }
}
