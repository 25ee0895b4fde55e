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

    /// Calls `set_size`.
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

    /// Calls `set_stripe_unit_count`.
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

    /// Calls `snapshot_remove`.
    public static func snapshotRemove(_ id: UInt64) -> ClassCall { call("snapshot_remove") { $0.u64(id) } }

    /// Calls `set_protection_status`.
    public static func setProtectionStatus(_ id: UInt64, _ protection: SnapshotProtection) -> ClassCall {
        call("set_protection_status") {
            $0.u64(id)
            $0.u8(protection.rawValue)
        }
    }

    /// `UInt64.max` removes the limit; `ERANGE` below the present number.
    public static func snapshotSetLimit(_ limit: UInt64) -> ClassCall { call("snapshot_set_limit") { $0.u64(limit) } }

    /// Calls `metadata_set`.
    public static func metadataSet(_ values: [String: [UInt8]]) -> ClassCall {
        call("metadata_set") {
            $0.list(values.sorted { $0.key.precedesByBytes($1.key) }) {
                $0.string($1.key)
                $0.blob($1.value)
            }
        }
    }

    /// Calls `metadata_remove`.
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
