/// What a daemon was asked for on its command line and in its environment, in the manner of Ceph's daemons.
///
/// `CEPH_ARGS` is read before the arguments, so that what is typed wins. Every option of Ceph's configuration
/// is accepted as `--name value`, `--name=value`, `--name` or `--no-name`, dashes and underscores alike, and
/// ends in `overrides`, short forms such as `-k` included; librados judges names and values (`rados_conf_set`).
public struct DaemonOptions: Sendable, Hashable {
    /// An option of Ceph's configuration with the value it was given.
    public struct Override: Sendable, Hashable {
        /// With underscores, as librados wants it.
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What is to be done; an open set.
    public struct Request: Sendable, Hashable {
        let rawValue: String
        let option: String

        /// Be a daemon.
        public static let run = Request(rawValue: "run", option: "")
        public static let help = Request(rawValue: "help", option: "")
        public static let version = Request(rawValue: "version", option: "")
        /// Print one option's value as the daemon would see it.
        public static func showValue(of option: String) -> Request { Request(rawValue: "show", option: option) }

        /// The option to show, if that is the request.
        public var shownOption: String? { rawValue == "show" ? option : nil }
    }

    /// Name of the local cluster: `--cluster`, else the configuration file's name, else `ceph`.
    public internal(set) var cluster = "ceph"
    /// File or comma-separated list of files for `rados_conf_read_file`: `-c`, else `CEPH_CONF`.
    /// Where nil, librados searches by itself (`/etc/ceph/CLUSTER.conf`, then the home and working folders).
    public internal(set) var configurationFile: String?
    /// The user as `TYPE.ID`.
    public internal(set) var name = "client.admin"
    /// In the order they were given; a later one wins.
    public internal(set) var overrides: [Override] = []
    /// Whether log lines are JSON objects (`--log-json`).
    public internal(set) var logsJSON = false
    public internal(set) var request = Request.run

    /// Whether to stay in the foreground: `-f`, `-d` or `--daemonize false`.
    public var isForeground: Bool { override("daemonize").map { ["false", "0"].contains($0.lowercased()) } ?? false }

    /// The value an option was given last, if it was.
    public func override(_ name: String) -> String? { overrides.last { $0.name == name }?.value }

    /// The part of the name behind the dot.
    public var id: String { String(name.drop { $0 != "." }.dropFirst()) }
}

/// A command line that cannot be understood; the description names the argument.
public struct OptionError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
