internal import CCeph
internal import Glibc

/// A connection to one Ceph cluster as one user.
///
///     let siteB = try await Cluster.connect(.named("site-b"), as: "client.rbd-mirror.b")
///
/// Pools and images hold their cluster; the connection ends when the last of them is gone, or
/// in order with ``shutdown()``. Every call has a deadline (``Deadlines``).
public final class Cluster: Sendable {
    let handle: UnsafeHandle
    private let isOpen = Locked(true)
    /// What errors call this cluster: its name, file or monitors.
    public let name: String
    public let user: String
    public let deadlines: Deadlines

    private init(handle: UnsafeHandle, configuration: ClusterConfiguration) {
        self.handle = handle
        name = configuration.source.description
        user = configuration.user
        deadlines = configuration.deadlines
    }

    deinit { Self.close(handle, ifOpen: isOpen) }

    /// Connects and authenticates.
    ///
    /// - Throws: ``CephError``: `ENOENT` for a missing configuration file or user key, `EACCES`
    ///   for a wrong key, `ETIMEDOUT` when no monitor answers within the deadline, `EINVAL` for an
    ///   unknown option.
    /// - C calls: `rados_create2`, `rados_conf_*`, `rados_connect`
    public static func connect(_ configuration: ClusterConfiguration) async throws(CephError) -> Cluster {
        let subject = "\(configuration.user) at \(configuration.source.description)"
        let cluster = try makeHandle(configuration)
        do throws(CephError) {
            try configure(cluster, configuration)
        } catch {
            rados_shutdown(cluster.pointer)
            throw error
        }
        // librados ends the wait itself; the margin lets its own, better error win.
        try await LentThread.run("rados_connect", on: subject, within: configuration.deadlines.connect + .seconds(5)) {
            () throws(CephError) in
            let code = rados_connect(cluster.pointer)
            if code < 0 { rados_shutdown(cluster.pointer) }
            try check(code, "rados_connect", on: subject)
        }
        return Cluster(handle: cluster, configuration: configuration)
    }

    /// Connects with a source and a user, everything else by default.
    public static func connect(
        _ source: ClusterConfiguration.Source, as user: String = "client.admin"
    ) async throws(CephError) -> Cluster {
        try await connect(ClusterConfiguration(source, as: user))
    }

    /// Ends the connection; everything made from it fails from then on.
    ///
    /// - C call: `rados_shutdown`
    public func shutdown() async {
        let handle = handle
        let isOpen = isOpen
        _ = try? await LentThread.run("rados_shutdown", on: name, within: .seconds(10)) { () throws(CephError) in
            Self.closeNow(handle, ifOpen: isOpen)
        }
    }

    /// The cluster's id.
    public func fsid() throws(CephError) -> String {
        try grown(from: 37, "rados_cluster_fsid", on: name) { rados_cluster_fsid(handle.pointer, $0, $1) }
    }

    /// This client's global id: how watchers, lockers and mirror instances are known.
    ///
    /// - C call: `rados_get_instance_id`
    public var globalID: UInt64 { rados_get_instance_id(handle.pointer) }

    /// The value of a configuration option.
    ///
    /// - C call: `rados_conf_get`
    public func option(_ name: String) throws(CephError) -> String {
        try grown(from: 256, "rados_conf_get", on: name) { rados_conf_get(handle.pointer, name, $0, $1) }
    }

    /// Sets an option on the running client.
    ///
    /// - C call: `rados_conf_set`
    public func setOption(_ name: String, to value: String) throws(CephError) {
        try check(rados_conf_set(handle.pointer, name, value), "rados_conf_set", on: name)
    }

    /// The version of the librados in use, as in 16.2.15's (3, 0, 0).
    public static var libraryVersion: (major: Int, minor: Int, extra: Int) {
        var major: CInt = 0, minor: CInt = 0, extra: CInt = 0
        rados_version(&major, &minor, &extra)
        return (Int(major), Int(minor), Int(extra))
    }
}

extension Cluster {
    static func makeHandle(_ configuration: ClusterConfiguration) throws(CephError) -> UnsafeHandle {
        let clusterName = switch configuration.source.kind {
        case .named(let name): name
        case .file(_, let name): name
        case .monitors(_, _, let name): name
        }
        var cluster: rados_t?
        try check(rados_create2(&cluster, clusterName, configuration.user, 0), "rados_create2", on: configuration.user)
        return UnsafeHandle(pointer: cluster!)
    }

    static func configure(_ cluster: UnsafeHandle, _ configuration: ClusterConfiguration) throws(CephError) {
        let set = { (name: String, value: String) throws(CephError) in
            try check(rados_conf_set(cluster.pointer, name, value), "rados_conf_set", on: name)
            return ()
        }
        switch configuration.source.kind {
        case .named(let name):
            try check(rados_conf_read_file(cluster.pointer, nil), "rados_conf_read_file", on: name)
        case .file(let path, _):
            try check(rados_conf_read_file(cluster.pointer, path), "rados_conf_read_file", on: path)
        case .monitors(let addresses, let key, _):
            try set("mon_host", addresses)
            if let key { try set("key", key.revealed) }
        }
        try setDeadlines(configuration.deadlines, set)
        if configuration.readsEnvironment {
            try check(rados_conf_parse_env(cluster.pointer, nil), "rados_conf_parse_env", on: "CEPH_ARGS")
        }
        try parse(configuration.arguments, cluster)
        if let keyring = configuration.keyring { try set("keyring", keyring) }
        for (name, value) in configuration.options { try set(name, value) }
    }

    private static func setDeadlines(
        _ deadlines: Deadlines, _ set: (String, String) throws(CephError) -> Void
    ) throws(CephError) {
        try set("client_mount_timeout", deadlines.connect.wholeSeconds)
        try set("rados_osd_op_timeout", deadlines.object.wholeSeconds)
        try set("rados_mon_op_timeout", deadlines.monitor.wholeSeconds)
    }

    /// Hands options to librados and refuses what it does not know.
    private static func parse(_ arguments: [String], _ cluster: UnsafeHandle) throws(CephError) {
        guard !arguments.isEmpty else { return }
        let words = (["ceph"] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var input = words.map { UnsafePointer<CChar>($0) }
        var left = [UnsafePointer<CChar>?](repeating: nil, count: words.count)
        try check(
            rados_conf_parse_argv_remainder(cluster.pointer, CInt(words.count), &input, &left),
            "rados_conf_parse_argv_remainder", on: arguments.first ?? "")
        if let unknown = left.compactMap({ $0.map { String(cString: $0) } }).first(where: { $0 != "ceph" }) {
            throw CephError(code: EINVAL, operation: "rados_conf_parse_argv_remainder", subject: "unknown option \(unknown)")
        }
    }

    private static func close(_ handle: UnsafeHandle, ifOpen isOpen: Locked<Bool>) {
        // deinit may run on one of Ceph's own threads, which must not shut itself down.
        Task.detached {
            _ = try? await LentThread.run("rados_shutdown") { () throws(CephError) in closeNow(handle, ifOpen: isOpen) }
        }
    }

    private static func closeNow(_ handle: UnsafeHandle, ifOpen isOpen: Locked<Bool>) {
        let mine = isOpen.withLock { open in
            defer { open = false }
            return open
        }
        if mine { rados_shutdown(handle.pointer) }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
    /// Ceph's time-outs are whole seconds; 0 would mean none.
    var wholeSeconds: String { "\(max(1, Int(inSeconds.rounded(.up))))" }
    var inMilliseconds: UInt64 { UInt64(max(0, inSeconds * 1000)) }
}

/// Calls a C function that fills a text buffer, growing it while the call says `ERANGE`.
func grown(
    from size: Int, _ operation: String, on subject: @autoclosure () -> String,
    _ call: (UnsafeMutablePointer<CChar>, Int) -> CInt
) throws(CephError) -> String {
    var size = size
    while true {
        var text = ""
        let code = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            buffer.initialize(repeating: 0)
            let code = call(buffer.baseAddress!, size)
            if code >= 0 { text = String(cString: buffer.baseAddress!) }
            return code
        }
        guard code == -ERANGE || code == -ENAMETOOLONG, size < 1 << 20 else {
            try check(code, operation, on: subject())
            return text
        }
        size *= 4
    }
}
