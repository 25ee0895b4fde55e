/// Says what a sandbox cluster is made of.
public struct SandboxConfiguration: Hashable, Sendable {
    /// Where an OSD keeps its objects; an open set.
    public struct ObjectStore: Hashable, Sendable {
        let name: String
        let bytes: UInt64

        /// Keeps objects in memory: fast, and lost when the OSD is killed. Takes only the memory that is used.
        public static func memory(bytes: UInt64 = 4 << 30) -> ObjectStore { ObjectStore(name: "memstore", bytes: bytes) }

        /// Keeps objects in a sparse file: outlives a killed OSD. Its folder must be on a disk, not in memory.
        public static func blueStore(bytes: UInt64 = 16 << 30) -> ObjectStore { ObjectStore(name: "bluestore", bytes: bytes) }
    }

    /// Where the OSDs keep their objects.
    public var objectStore: ObjectStore
    /// The number of OSDs; pools keep one copy whatever it is.
    public var osds: Int
    /// Whether a manager runs. It is needed for schedules, CephFS mirroring commands and `ceph mirror daemon status`, takes 300 MiB
    /// and about half of the boot time.
    public var manager: Bool
    /// The manager modules to turn on besides those that always are.
    public var managerModules: [String]
    /// The name of a file system to make, with an MDS; `nil` makes none. Its pools are `NAME.meta` and `NAME.data`.
    public var fileSystem: String?
    /// Options for the `[global]` section of the cluster's configuration file; they override the sandbox's own.
    ///
    /// As in any cluster, a change of a map (a pool made, a snapshot id taken) may take the monitor a second;
    /// `["paxos_propose_interval": "0.05"]` makes it quick.
    public var options: [String: String]
    /// The Ceph release the daemons and tools come from.
    public var binaries: SandboxBinaries
    /// The longest time one command may take.
    public var commandTimeout: Duration
    /// The longest time one daemon may take until it is ready.
    public var bootTimeout: Duration

    public init(
        objectStore: ObjectStore = .memory(), osds: Int = 1, manager: Bool = true,
        managerModules: [String] = ["mirroring", "snap_schedule"], fileSystem: String? = nil, options: [String: String] = [:],
        binaries: SandboxBinaries = .installed, commandTimeout: Duration = .seconds(60), bootTimeout: Duration = .seconds(120)
    ) {
        self.objectStore = objectStore
        self.osds = osds
        self.manager = manager
        self.managerModules = managerModules
        self.fileSystem = fileSystem
        self.options = options
        self.binaries = binaries
        self.commandTimeout = commandTimeout
        self.bootTimeout = bootTimeout
    }
}
