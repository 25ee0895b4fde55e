public import CephCore

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
