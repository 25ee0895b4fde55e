internal import Glibc
public import Logging

/// How the process is to live: files, identity and log, as the configuration has it after all overrides.
public struct DaemonSettings: Sendable, Hashable {
    /// Nil for no log file.
    public var logFile: String?
    /// Everything also to standard error.
    public var logsToStandardError = false
    /// Errors also to standard error.
    public var reportsErrorsToStandardError = true
    public var logsJSON = false
    public var logLevel = Logger.Level.notice
    public var pidFile: String?
    /// Nil for no admin socket.
    public var adminSocket: String?
    /// Permissions of the admin socket's file.
    public var adminSocketMode: UInt32 = 0o600
    /// User to become, by name or number.
    public var user: String?
    /// Group to become, by name or number.
    public var group: String?

    public init() {}

    /// Reads the settings from a configuration that has read its files and taken the overrides.
    ///
    /// A library's defaults are not a daemon's: where librados says that there is no log file or admin socket and
    /// the command line does not either, a daemon has them in the usual places.
    /// - Parameters:
    ///   - subsystem: Whose `debug_SUBSYSTEM` option sets the log level, as in `rbd_mirror`.
    ///   - value: An option's value with metavariables expanded (`rados_conf_get`); empty where there is none.
    public init(_ options: DaemonOptions, subsystem: String, value: (String) -> String) {
        let label = "\(options.cluster)-\(options.name)"
        func path(_ option: String, default fallback: @autoclosure () -> String?) -> String? {
            let found = value(option)
            if !found.isEmpty { return found }
            return options.override(option) == nil ? fallback() : nil
        }

        if isTrue(options.override("log_to_file") ?? value("log_to_file"), default: true) {
            logFile = path("log_file", default: "/var/log/ceph/\(label).log")
        }
        logsToStandardError = isTrue(value("log_to_stderr"), default: false)
        reportsErrorsToStandardError = isTrue(options.override("err_to_stderr") ?? "", default: true)
        logsJSON = options.logsJSON
        logLevel = Logger.Level(debugLevel: value("debug_\(subsystem)"))
        pidFile = path("pid_file", default: nil)
        adminSocket = path("admin_socket", default: {
            let folder = value("run_dir").isEmpty ? "/var/run/ceph" : value("run_dir")
            // Ceph puts the address of a structure there; any number tells two of one process apart.
            return "\(folder)/\(label).\(getpid()).\(UInt64.random(in: 1 << 46..<1 << 47)).asok"
        }())
        adminSocketMode = UInt32(value("admin_socket_mode"), radix: 8) ?? adminSocketMode
        func account(_ option: String) -> String? {
            let name = options.override(option) ?? value(option)
            return name.isEmpty ? nil : name
        }
        user = account("setuser")
        group = account("setgroup")
    }
}

/// As librados writes booleans; an empty value means the default.
private func isTrue(_ value: String, default fallback: Bool) -> Bool {
    value.isEmpty ? fallback : ["true", "1"].contains(value.lowercased())
}

extension Logger.Level {
    /// The level that shows what Ceph's `N` or `N/M` shows; M, the memory log's level, has no meaning here.
    public init(debugLevel: String) {
        let level = Int(debugLevel.prefix { $0 != "/" }.filter { !$0.isWhitespace }) ?? 0
        switch level {
        case ...1: self = .notice
        case ...5: self = .info
        case ...19: self = .debug
        default: self = .trace
        }
    }
}
