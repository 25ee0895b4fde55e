public import CephCore

/// Class methods of object-map objects.
public enum ObjectMapMethod {
    /// Calls `object_map_load`.
    public static func load() -> ClassCall { HeaderMethod.call("object_map_load") }
    /// Calls `object_map_save`.
    public static func save(_ map: ObjectMap) -> ClassCall { ClassCall("rbd", "object_map_save", input: map.encoded) }

    /// Creates a missing map; shrinking fails with `ESTALE` when a dropped entry is not `fill`.
    public static func resize(count: UInt64, fill: ObjectState) -> ClassCall {
        HeaderMethod.call("object_map_resize") {
            $0.u64(count)
            $0.u8(fill.rawValue)
        }
    }

    /// Calls `object_map_update`.
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
