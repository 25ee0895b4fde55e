internal import Foundation

/// Which process of which host holds a lock, so that its successor there can tell that it is dead.
///
/// Stored as the description of our locks, where stock leaves nothing and looks for nothing.
public struct DaemonIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The host's boot, as in `/proc/sys/kernel/random/boot_id`.
    public var bootID: String
    /// The inode of the pid namespace: process ids of another one mean nothing here.
    public var pidNamespace: String
    public var processID: Int32
    /// When the process started, in clock ticks since boot: tells apart processes with one id.
    public var startTime: UInt64
    /// The daemon's name, stable over restarts.
    public var daemon: String

    public init(bootID: String, pidNamespace: String, processID: Int32, startTime: UInt64, daemon: String) {
        self.bootID = bootID
        self.pidNamespace = pidNamespace
        self.processID = processID
        self.startTime = startTime
        self.daemon = daemon
    }

    private static let mark = "ceph-mirroring/1"

    public var description: String {
        let fields = ["boot": bootID, "pidns": pidNamespace, "pid": "\(processID)", "start": "\(startTime)", "daemon": daemon]
        return ([Self.mark] + fields.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.escaped($0.value))" }).joined(separator: " ")
    }

    /// Reads a description; nil for anything else, as a lock of somebody else.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.first.map(String.init) == Self.mark else { return nil }
        var fields: [String: String] = [:]
        for word in words.dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = String(pair[1]).removingPercentEncoding else { return nil }
            fields[String(pair[0])] = value
        }
        guard let bootID = fields["boot"], let pidNamespace = fields["pidns"], let daemon = fields["daemon"],
            let processID = fields["pid"].flatMap({ Int32($0) }), processID > 0, let startTime = fields["start"].flatMap({ UInt64($0) })
        else { return nil }
        self.init(bootID: bootID, pidNamespace: pidNamespace, processID: processID, startTime: startTime, daemon: daemon)
    }

    private static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/[]")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    /// Whether this is an earlier run of a daemon on its host.
    ///
    /// - Parameter startTime: Tells when the process with an id started; nil when there is none.
    public func isDeadPredecessor(of daemon: DaemonIdentity, startTime: (Int32) -> UInt64?) -> Bool {
        guard bootID == daemon.bootID, pidNamespace == daemon.pidNamespace, self.daemon == daemon.daemon else { return false }
        return startTime(processID) != self.startTime
    }

    /// The start time in a line of `/proc/<pid>/stat`; nil when the process has ended and was only not reaped yet.
    public static func startTime(inStat line: String) -> UInt64? {
        // The second field is a name in brackets that may hold anything; the third comes first here.
        guard let name = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: name)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 19, let threads = Int(fields[17]) else { return nil }
        // A main thread that has ended shows as a zombie while the others go on.
        if "ZXx".contains(fields[0]), threads <= 1 { return nil }
        return UInt64(fields[19])
    }
}
