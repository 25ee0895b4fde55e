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
    let gate = CallGate()
    /// What errors call this cluster: its name, file or monitors.
    public let name: String
    /// The full name, as in `client.admin`.
    public let user: String
    public let deadlines: Deadlines
    /// This client's global id: how watchers, lockers and mirror instances are known.
    ///
    /// - C call: `rados_get_instance_id`
    public let globalID: UInt64

    private init(handle: UnsafeHandle, configuration: ClusterConfiguration) {
        self.handle = handle
        globalID = rados_get_instance_id(handle.pointer)
        name = configuration.source.description
        user = configuration.user
        deadlines = Self.deadlines(of: handle, else: configuration.deadlines)
    }

    deinit {
        let handle = handle
        gate.close { [gate] in Self.end(handle, gate) {} }
    }

    /// Connects and authenticates.
    ///
    /// - Throws: ``CephError``: `ENOENT` for a missing configuration file or user key, `EACCES`
    ///   for a wrong key, `ETIMEDOUT` when no monitor answers within the deadline, `EINVAL` for an
    ///   unknown option, `ECANCELED` when the task was cancelled meanwhile.
    /// - C calls: `rados_create2`, `rados_conf_*`, `rados_connect`
    public static func connect(_ configuration: ClusterConfiguration) async throws(CephError) -> Cluster {
        let subject = "\(configuration.user) at \(configuration.source.description)"
        let attempt = Attempt(handle: try makeHandle(configuration))
        do throws(CephError) {
            try configure(attempt.handle, configuration)
        } catch {
            attempt.end()
            throw error
        }
        do throws(CephError) {
            // librados gives each of its tries this time, one after the other: the wait is ended here.
            try await LentThread.run(
                "rados_connect", on: subject, in: nil, within: deadlines(of: attempt.handle, else: configuration.deadlines).connect,
                yieldsToCancellation: true, tooLate: { attempt.end() }
            ) { () throws(CephError) in
                let code = rados_connect(attempt.handle.pointer)
                if code < 0 { attempt.end() }
                try check(code, "rados_connect", on: subject)
            }
        } catch {
            attempt.hurry()
            throw error
        }
        return Cluster(handle: attempt.handle, configuration: configuration)
    }

    /// A handle that is not connected yet.
    private final class Attempt: Sendable {
        let handle: UnsafeHandle
        private let hasEnded = Locked(false)

        init(handle: UnsafeHandle) { self.handle = handle }

        func end() {
            hasEnded.withLock { $0 = true }
            rados_shutdown(handle.pointer)
        }

        /// Shortens the tries that librados has left, so that a lost attempt does not keep its threads for minutes.
        func hurry() {
            let handle = handle
            hasEnded.withLock { hasEnded in
                if !hasEnded { _ = rados_conf_set(handle.pointer, "client_mount_timeout", "1") }
            }
        }
    }

    /// Connects with a source and a user, everything else by default.
    public static func connect(
        _ source: ClusterConfiguration.Source, as user: String = "client.admin"
    ) async throws(CephError) -> Cluster {
        try await connect(ClusterConfiguration(source, as: user))
    }

    /// Ends the connection; everything made from it fails with `ENOTCONN` from then on.
    ///
    /// Waits for the calls in flight and the open images. After `limit` it returns, and the connection ends in the
    /// background when the last of them has: a cluster that does not answer holds nobody up.
    /// - C call: `rados_shutdown`
    public func shutdown(within limit: Duration = .seconds(5)) async {
        let handle = handle
        let wait = AbandonableWait()
        _ = await wait.run(within: limit) {
            let isFirst = gate.close { [gate] in Self.end(handle, gate) { wait.finish(0) } }
            if !isFirst { wait.finish(0) }
        }
    }

    private static func end(_ handle: UnsafeHandle, _ gate: CallGate, _ done: @escaping @Sendable () -> Void) {
        LentThread.detach {
            rados_shutdown(handle.pointer)
            gate.ended()
            done()
        }
    }

    /// The cluster's id.
    public func fsid() throws(CephError) -> String {
        try text(from: 37, "rados_cluster_fsid", on: name) { rados_cluster_fsid(handle.pointer, $0, $1) }
    }

    /// The value of a configuration option.
    ///
    /// - C call: `rados_conf_get`
    public func option(_ name: String) throws(CephError) -> String {
        try text(from: 256, "rados_conf_get", on: name) { rados_conf_get(handle.pointer, name, $0, $1) }
    }

    /// Sets an option on the running client.
    ///
    /// - C call: `rados_conf_set`
    public func setOption(_ name: String, to value: String) throws(CephError) {
        try call("rados_conf_set", on: name) { rados_conf_set(handle.pointer, name, value) }
    }

    private func text(
        from size: Int, _ operation: String, on subject: String, _ body: (UnsafeMutablePointer<CChar>, Int) -> CInt
    ) throws(CephError) -> String {
        try gate.enter(operation, on: subject)
        defer { gate.leave() }
        return try grown(from: size, operation, on: subject, body)
    }

    /// Runs a librados call that blocks on a thread of its own; the connection is not ended before it.
    @discardableResult
    func lend<T: Sendable>(
        _ operation: String, on subject: @autoclosure () -> String, within deadline: Duration,
        tooLate: @escaping @Sendable (T) -> Void = { _ in }, _ body: @escaping @Sendable () throws(CephError) -> T
    ) async throws(CephError) -> T {
        try await LentThread.run(operation, on: subject(), in: gate, within: deadline, tooLate: tooLate, body)
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
            if let key {
                try set("key", key.revealed)
                try set("keyring", "")
            }
        }
        try setDeadlines(configuration.deadlines, cluster, set)
        if configuration.readsEnvironment {
            try check(rados_conf_parse_env(cluster.pointer, nil), "rados_conf_parse_env", on: "CEPH_ARGS")
        }
        try parse(configuration.arguments, cluster)
        if let keyring = configuration.keyring { try set("keyring", keyring) }
        for (name, value) in configuration.options { try set(name, value) }
    }

    /// The options behind the deadlines, and librados' own values, which are none or far too long.
    private static let deadlineOptions = [
        ("client_mount_timeout", "300"), ("rados_osd_op_timeout", "0"), ("rados_mon_op_timeout", "0"),
    ]

    /// Sets the deadlines, except where the configuration file has its own.
    private static func setDeadlines(
        _ deadlines: Deadlines, _ cluster: UnsafeHandle, _ set: (String, String) throws(CephError) -> Void
    ) throws(CephError) {
        let values = [deadlines.connect, deadlines.object, deadlines.monitor]
        for ((option, unset), value) in zip(deadlineOptions, values) {
            if try Self.value(of: option, cluster) == unset { try set(option, value.wholeSeconds) }
        }
    }

    private static func value(of option: String, _ cluster: UnsafeHandle) throws(CephError) -> String {
        try grown(from: 64, "rados_conf_get", on: option) { rados_conf_get(cluster.pointer, option, $0, $1) }
    }

    /// The deadlines after the configuration file and all overrides.
    static func deadlines(of cluster: UnsafeHandle, else fallback: Deadlines) -> Deadlines {
        let seconds = { (index: Int, fallback: Duration) -> Duration in
            let number = (try? value(of: deadlineOptions[index].0, cluster)).flatMap(Double.init) ?? 0
            // Ours where they agree: options hold whole seconds only.
            return number > 0 && "\(Int(number))" != fallback.wholeSeconds ? .seconds(number) : fallback
        }
        return Deadlines(
            connect: seconds(0, fallback.connect), object: seconds(1, fallback.object), monitor: seconds(2, fallback.monitor),
            image: fallback.image)
    }

    /// Hands options to librados and refuses what it does not know.
    private static func parse(_ arguments: [String], _ cluster: UnsafeHandle) throws(CephError) {
        guard !arguments.isEmpty else { return }
        let words = (["ceph"] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var input = words.map { UnsafePointer<CChar>($0) }
        var left = [UnsafePointer<CChar>?](repeating: nil, count: words.count)
        try check(
            rados_conf_parse_argv_remainder(cluster.pointer, CInt(words.count), &input, &left), "rados_conf_parse_argv_remainder")
        if let unknown = left.compactMap({ $0.map { String(cString: $0) } }).first(where: { $0 != "ceph" }) {
            // What follows the sign may be a secret.
            let name = unknown.prefix { $0 != "=" }
            throw CephError(code: EINVAL, operation: "rados_conf_parse_argv_remainder", subject: "unknown option \(name)")
        }
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
