internal import Glibc

extension DaemonOptions {
    /// Parses a command line.
    ///
    /// - Parameters:
    ///   - arguments: As in `CommandLine.arguments`, the program first.
    ///   - canRead: Tells whether a configuration file can be read; the first that can names the cluster.
    public init(
        arguments: [String], environment: [String: String],
        canRead: (String) -> Bool = Self.isReadable
    ) throws(OptionError) {
        let typed = arguments.dropFirst()
        guard !typed.isEmpty else { throw OptionError("-h or --help for usage") }
        let preset = (environment["CEPH_ARGS"] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)

        if let keyring = environment["CEPH_KEYRING"], !keyring.isEmpty { overrides.append(.init("keyring", keyring)) }
        var parser = OptionParser(options: self)
        try parser.parse(preset)
        try parser.parse(Array(typed))
        self = parser.options

        if let named = parser.cluster {
            cluster = named
        } else if let file = configurationFile.flatMap({ Self.firstReadable($0, canRead) }) {
            cluster = Self.clusterName(ofFile: file) ?? cluster
        }
        if configurationFile == nil, let file = environment["CEPH_CONF"], !file.isEmpty { configurationFile = file }
    }

    /// Whether this process may read a file.
    public static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

    private static func firstReadable(_ list: String, _ canRead: (String) -> Bool) -> String? {
        list.split(separator: ",").map(String.init).first(where: canRead)
    }

    private static func clusterName(ofFile path: String) -> String? {
        let file = path.split(separator: "/").last ?? ""
        guard file.hasSuffix(".conf"), file.count > 5 else { return nil }
        return String(file.dropLast(5))
    }
}

/// Goes through one list of arguments; the state is what has been understood so far.
private struct OptionParser {
    var options: DaemonOptions
    var cluster: String?
    private var rest: ArraySlice<String> = []

    init(options: DaemonOptions) { self.options = options }

    mutating func parse(_ arguments: [String]) throws(OptionError) {
        rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                guard let stray = rest.first else { return }
                throw OptionError("unexpected argument '\(stray)'")
            }
            try take(argument)
        }
    }

    private mutating func take(_ argument: String) throws(OptionError) {
        if argument.hasPrefix("--") {
            let body = argument.dropFirst(2)
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0].replacing("-", with: "_")
            guard name.first?.isLetter == true else { throw OptionError("unknown option '\(argument)'") }
            try takeLong(name, value: parts.count == 2 ? parts[1] : nil, argument: "--" + parts[0])
        } else if argument.hasPrefix("-") {
            try takeShort(argument)
        } else {
            throw OptionError("unexpected argument '\(argument)'")
        }
    }

    private mutating func takeLong(_ name: String, value: String?, argument: String) throws(OptionError) {
        switch name {
        case "cluster": cluster = try needed(value, argument)
        case "conf": options.configurationFile = try needed(value, argument)
        case "name": options.name = try Self.checkedName(needed(value, argument))
        case "id", "user": try setID(needed(value, argument))
        case "mon_host", "keyring": set(name, try needed(value, argument))
        case "show_config_value": ask(.showValue(of: try needed(value, argument)))
        case "help", "version", "foreground", "log_json":
            guard value == nil else { throw OptionError("Option \(argument) takes no value.") }
            takeFlag(name)
        default: takeConfiguration(name, value)
        }
    }

    private mutating func takeShort(_ argument: String) throws(OptionError) {
        switch argument {
        case "-c": options.configurationFile = try needed(nil, argument)
        case "-n": options.name = try Self.checkedName(needed(nil, argument))
        case "-i": try setID(needed(nil, argument))
        case "-k": set("keyring", try needed(nil, argument))
        case "-m": set("mon_host", try needed(nil, argument))
        case "-f": takeFlag("foreground")
        case "-h": takeFlag("help")
        case "-v": takeFlag("version")
        case "-d":
            takeFlag("foreground")
            set("log_file", "")
            set("log_to_stderr", "true")
            set("err_to_stderr", "true")
        default: throw OptionError("unknown option '\(argument)'")
        }
    }

    private mutating func takeFlag(_ name: String) {
        switch name {
        case "help": options.request = .help
        case "version": ask(.version)
        case "log_json": options.logsJSON = true
        default: set("daemonize", "false")
        }
    }

    /// Help goes before all other wishes.
    private mutating func ask(_ request: DaemonOptions.Request) {
        if options.request != .help { options.request = request }
    }

    /// Any option of Ceph: a word that follows is its value, unless it looks like the next option.
    private mutating func takeConfiguration(_ name: String, _ value: String?) {
        if let value {
            set(name, value)
        } else if name.hasPrefix("no_") {
            set(String(name.dropFirst(3)), "false")
        } else if let next = rest.first, !Self.looksLikeOption(next) {
            set(name, rest.removeFirst())
        } else {
            set(name, "true")
        }
    }

    /// A dash followed by a number is a value.
    private static func looksLikeOption(_ argument: String) -> Bool {
        guard argument.hasPrefix("-"), let second = argument.dropFirst().first else { return false }
        return second == "-" || second.isLetter
    }

    private mutating func needed(_ value: String?, _ argument: String) throws(OptionError) -> String {
        if let value { return value }
        guard let next = rest.popFirst() else { throw OptionError("Option \(argument) requires an argument.") }
        return next
    }

    private mutating func set(_ name: String, _ value: String) { options.overrides.append(.init(name, value)) }

    private mutating func setID(_ id: String) throws(OptionError) {
        options.name = options.name.prefix { $0 != "." } + "." + id
    }

    private static let entityTypes = ["auth", "mon", "osd", "mds", "mgr", "client"]

    private static func checkedName(_ name: String) throws(OptionError) -> String {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, entityTypes.contains(String(parts[0])) else {
            throw OptionError(
                "error parsing '\(name)': expected string of the form TYPE.ID, valid types are: "
                    + entityTypes.joined(separator: ", "))
        }
        return name
    }
}
