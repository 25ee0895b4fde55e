/// Where a new replica keeps its data objects: the rule of stock daemons.
///
/// Decided once, when the replica is created; an image's data does not move to another pool afterwards.
public enum DataPoolRule {
    /// Chooses a pool on the target.
    ///
    /// - Parameters:
    ///   - configured: The target's `rbd_default_data_pool`; empty when it is not set.
    ///   - source: The name of the source image's data pool; nil when its data is in its own pool.
    ///   - own: The replica's own pool.
    ///   - existing: Pools there are on the target, at least those of the names above.
    /// - Returns: Nil for the replica's own pool.
    public static func choose(
        configured: String, source: String?, own: String, existing: some Collection<String>
    ) -> String? {
        let wanted = [configured, source].compactMap(\.self).first { existing.contains($0) }
        return wanted == own ? nil : wanted
    }
}
