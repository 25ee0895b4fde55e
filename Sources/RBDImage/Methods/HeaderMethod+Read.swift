public import CephCore

/// Reads of single fields; ``ImageHeader`` reads all of them at once from the omap.
extension HeaderMethod {
    static func query<Reply>(
        _ method: String, _ arguments: (inout Encoder) -> Void = { _ in },
        _ reply: @escaping @Sendable (inout Decoder) throws(WireError) -> Reply
    ) -> ClassQuery<Reply> {
        ClassQuery(call(method, arguments), reply)
    }

    /// Order and size in bytes, of HEAD or of a snapshot.
    public static func getSize(of snapshot: UInt64? = nil) -> ClassQuery<(order: UInt8, size: UInt64)> {
        query("get_size", { $0.u64(snapshot ?? headSnapshotID) }) { (d) throws(WireError) in (try d.u8(), try d.u64()) }
    }

    /// Features, and those of them that a client must know to open the image.
    public static func getFeatures(readOnly: Bool) -> ClassQuery<(features: ImageFeatures, incompatible: ImageFeatures)> {
        query("get_features", {
            $0.u64(headSnapshotID)
            $0.bool(readOnly)
        }) { (d) throws(WireError) in (ImageFeatures(rawValue: try d.u64()), ImageFeatures(rawValue: try d.u64())) }
    }

    /// Calls `get_flags`.
    public static func getFlags(of snapshot: UInt64? = nil) -> ClassQuery<ImageFlags> {
        query("get_flags", { $0.u64(snapshot ?? headSnapshotID) }) { (d) throws(WireError) in ImageFlags(rawValue: try d.u64()) }
    }

    /// Calls `op_features_get`.
    public static func getOperationFeatures() -> ClassQuery<OperationFeatures> {
        query("op_features_get") { (d) throws(WireError) in OperationFeatures(rawValue: try d.u64()) }
    }

    /// `ENOEXEC` without the striping feature.
    public static func getStripeUnitCount() -> ClassQuery<(unit: UInt64, count: UInt64)> {
        query("get_stripe_unit_count") { (d) throws(WireError) in (try d.u64(), try d.u64()) }
    }

    /// Calls `get_object_prefix`.
    public static func getObjectPrefix() -> ClassQuery<String> {
        query("get_object_prefix") { (d) throws(WireError) in try d.string() }
    }

    /// The data pool, -1 for the image's own.
    public static func getDataPool() -> ClassQuery<Int64> {
        query("get_data_pool") { (d) throws(WireError) in try d.i64() }
    }

    /// Calls `get_create_timestamp`.
    public static func getCreateTimestamp() -> ClassQuery<CephTime> { time("get_create_timestamp") }
    /// Calls `get_access_timestamp`.
    public static func getAccessTimestamp() -> ClassQuery<CephTime> { time("get_access_timestamp") }
    /// Calls `get_modify_timestamp`.
    public static func getModifyTimestamp() -> ClassQuery<CephTime> { time("get_modify_timestamp") }

    private static func time(_ method: String) -> ClassQuery<CephTime> {
        query(method) { (d) throws(WireError) in try CephTime(from: &d) }
    }

    /// The features that the OSD's class supports; on any object.
    public static func getAllFeatures() -> ClassQuery<ImageFeatures> {
        query("get_all_features") { (d) throws(WireError) in ImageFeatures(rawValue: try d.u64()) }
    }
}

extension HeaderMethod {
    /// The highest id ever added, and the live ids of all namespaces, descending.
    public static func snapshotContext() -> ClassQuery<(sequence: UInt64, ids: [UInt64])> {
        query("get_snapcontext") { (d) throws(WireError) in
            (try d.u64(), try d.list(elementsOfAtLeast: 8) { (d) throws(WireError) in try d.u64() })
        }
    }

    /// A snapshot without its protection, flags and overlap.
    public static func snapshotGet(_ id: UInt64) -> ClassQuery<ImageSnapshot> {
        query("snapshot_get", { $0.u64(id) }) { (d) throws(WireError) in try ImageSnapshot(info: &d) }
    }

    /// Calls `get_snapshot_name`.
    public static func getSnapshotName(_ id: UInt64) -> ClassQuery<String> {
        query("get_snapshot_name", { $0.u64(id) }) { (d) throws(WireError) in try d.string() }
    }

    /// Calls `get_snapshot_timestamp`.
    public static func getSnapshotTimestamp(_ id: UInt64) -> ClassQuery<CephTime> {
        query("get_snapshot_timestamp", { $0.u64(id) }) { (d) throws(WireError) in try CephTime(from: &d) }
    }

    /// Calls `get_protection_status`.
    public static func getProtectionStatus(_ id: UInt64) -> ClassQuery<SnapshotProtection> {
        query("get_protection_status", { $0.u64(id) }) { (d) throws(WireError) in SnapshotProtection(rawValue: try d.u8()) }
    }

    /// `UInt64.max` for none.
    public static func snapshotGetLimit() -> ClassQuery<UInt64> {
        query("snapshot_get_limit") { (d) throws(WireError) in try d.u64() }
    }

    /// Calls `metadata_get`.
    public static func metadataGet(_ key: String) -> ClassQuery<[UInt8]> {
        query("metadata_get", { $0.string(key) }) { (d) throws(WireError) in try d.blob() }
    }

    /// - Parameter limit: 0 for 64.
    public static func metadataList(after: String, limit: UInt64) -> ClassQuery<[(key: String, value: [UInt8])]> {
        query("metadata_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 8) { (d) throws(WireError) in (try d.string(), try d.blob()) }
        }
    }
}
