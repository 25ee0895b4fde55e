/// Who gets a key when a cluster is made, and what it allows.
struct Keyring: Hashable {
    /// `mon.`, `client.admin`, `osd.0`.
    let name: String
    /// The keyring is the file of this name with `.keyring` added.
    let fileName: String
    let capabilities: [String]

    static let monitor = Keyring(name: "mon.", fileName: "mon.a", capabilities: ["mon", "allow *"])
    static let admin = Keyring(
        name: "client.admin", fileName: "client.admin",
        capabilities: ["mon", "allow *", "mgr", "allow *", "osd", "allow *", "mds", "allow *"])

    /// The key of a daemon other than the monitor.
    static func owner(_ daemon: String) -> Keyring {
        let capabilities =
            switch daemon.prefix(3) {
            case "mgr": ["mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"]
            case "mds": ["mon", "allow profile mds", "mgr", "allow profile mds", "osd", "allow *", "mds", "allow *"]
            default: ["mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *"]
            }
        return Keyring(name: daemon, fileName: daemon, capabilities: capabilities)
    }

    /// Arguments for `ceph-authtool`.
    var capabilityArguments: [String] {
        stride(from: 0, to: capabilities.count, by: 2).flatMap { ["--cap", capabilities[$0], capabilities[$0 + 1]] }
    }
}
