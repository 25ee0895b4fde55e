/// How to reach a cluster and as whom.
public struct ClusterConfiguration: Sendable {
    /// Where monitors and options come from.
    public struct Source: Sendable {
        enum Kind: Sendable {
            case named(String)
            case file(String, clusterName: String)
            case monitors(String, key: Secret?, clusterName: String)
        }
        let kind: Kind

        /// The configuration file found for a cluster's name, as in `/etc/ceph/site-b.conf` (or `CEPH_CONF`).
        public static func named(_ name: String) -> Source { Source(kind: .named(name)) }
        /// One configuration file.
        public static func configurationFile(_ path: String, clusterName: String = "ceph") -> Source {
            Source(kind: .file(path, clusterName: clusterName))
        }
        /// Monitor addresses (`mon_host` syntax) and a key held in memory; no file is read.
        public static func monitors(_ addresses: String, key: Secret?, clusterName: String = "ceph") -> Source {
            Source(kind: .monitors(addresses, key: key, clusterName: clusterName))
        }

        /// What errors call the cluster.
        var description: String {
            switch kind {
            case .named(let name): name
            case .file(let path, _): path
            case .monitors(let addresses, _, let name): name == "ceph" ? addresses : name
            }
        }
    }

    public var source: Source
    /// The full user name, as in `client.admin`.
    public var user: String
    /// A keyring file; nil leaves the search to librados.
    public var keyring: String?
    /// Ceph options set after the file was read, in order; they win over it.
    public var options: [(name: String, value: String)]
    /// Command-line style options (`--option value`), parsed by librados before ``options``.
    public var arguments: [String]
    /// Whether the environment variable `CEPH_ARGS` is honoured.
    public var readsEnvironment: Bool
    public var deadlines: Deadlines

    public init(
        _ source: Source, as user: String = "client.admin", keyring: String? = nil,
        options: [(name: String, value: String)] = [], arguments: [String] = [],
        readsEnvironment: Bool = false, deadlines: Deadlines = .init()
    ) {
        self.source = source
        self.user = user
        self.keyring = keyring
        self.options = options
        self.arguments = arguments
        self.readsEnvironment = readsEnvironment
        self.deadlines = deadlines
    }
}

/// How long calls may take before they end with `ETIMEDOUT`.
///
/// A mutation that timed out is unknown, not failed: it may still be applied.
public struct Deadlines: Hashable, Sendable {
    /// Finding monitors and authenticating (`client_mount_timeout`).
    public var connect: Duration
    /// One object operation (`rados_osd_op_timeout`).
    public var object: Duration
    /// One monitor or manager command (`rados_mon_op_timeout`).
    public var monitor: Duration
    /// An operation on an image that makes no progress; where it goes to objects each of them has its own deadline.
    public var image: Duration

    public init(
        connect: Duration = .seconds(30), object: Duration = .seconds(30), monitor: Duration = .seconds(30),
        image: Duration = .seconds(120)
    ) {
        self.connect = connect
        self.object = object
        self.monitor = monitor
        self.image = image
    }
}

/// A key or token that never shows in logs, errors or descriptions.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself: hand it on, never print it.
    public let revealed: String
    public init(_ value: String) { revealed = value }
    public var description: String { "<secret>" }
    public var debugDescription: String { "<secret>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
