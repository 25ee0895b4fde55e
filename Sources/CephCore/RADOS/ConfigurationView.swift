internal import CCeph

/// A configuration as librados reads it, without a connection.
///
/// For programs that need options before they connect: where to log, as whom to run.
public final class ConfigurationView: Sendable {
    private let handle: UnsafeHandle

    /// Reads the file, the environment and the overrides.
    ///
    /// - Throws: What ``Cluster/connect(_:)`` throws before it connects.
    /// - C calls: `rados_create2`, `rados_conf_*`
    public init(_ configuration: ClusterConfiguration) throws(CephError) {
        handle = try Cluster.makeHandle(configuration)
        do throws(CephError) { try Cluster.configure(handle, configuration) } catch {
            rados_shutdown(handle.pointer)
            throw error
        }
    }

    deinit { rados_shutdown(handle.pointer) }

    /// An option's value; nil for one that librados does not know.
    ///
    /// - C call: `rados_conf_get`
    public func value(of option: String) -> String? {
        try? grown(from: 256, "rados_conf_get", on: option) { rados_conf_get(handle.pointer, option, $0, $1) }
    }

    /// The deadlines a connection with this configuration has.
    public var deadlines: Deadlines { Cluster.deadlines(of: handle, else: .init()) }

    /// Changes an option in this view.
    ///
    /// - Throws: `ENOENT` for an unknown option, `EINVAL` for a value that does not fit.
    /// - C call: `rados_conf_set`
    public func set(_ option: String, to value: String) throws(CephError) {
        try check(rados_conf_set(handle.pointer, option, value), "rados_conf_set", on: option)
    }
}
