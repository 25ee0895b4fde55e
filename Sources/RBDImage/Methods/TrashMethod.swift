public import CephCore

/// Class methods of `rbd_trash`.
public enum TrashMethod {
    /// Calls `trash_add`.
    public static func add(id: String, _ spec: TrashImageSpec) -> ClassCall {
        HeaderMethod.call("trash_add") {
            $0.string(id)
            spec.encode(into: &$0)
        }
    }

    /// Calls `trash_remove`.
    public static func remove(id: String) -> ClassCall { HeaderMethod.call("trash_remove") { $0.string(id) } }

    /// Calls `trash_get`.
    public static func get(id: String) -> ClassQuery<TrashImageSpec> {
        HeaderMethod.query("trash_get", { $0.string(id) }) { (d) throws(WireError) in try TrashImageSpec(from: &d) }
    }

    /// Calls `trash_list`: image ids and what is known of them.
    public static func list(after: String, limit: UInt64) -> ClassQuery<[(id: String, spec: TrashImageSpec)]> {
        HeaderMethod.query("trash_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 31) { (d) throws(WireError) in (try d.string(), try TrashImageSpec(from: &d)) }
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
