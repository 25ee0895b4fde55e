public import CephCore

/// How an ``RBDMirror`` connects and paces itself.
public struct RBDMirrorConfiguration: Sendable {
    /// The site that is written to, and the daemon's user there.
    public var cluster: ClusterConfiguration
    /// The daemon's own id: the user's name without `client.`.
    public var daemonID: String
    /// Bytes of image data in flight, over all images.
    public var memoryBudget: Int
    /// Objects in flight for each image.
    public var objectsInFlight: Int
    /// How daemons share the images of a pool; nil reads Ceph's options.
    public var cooperation: CooperationConfiguration?
    /// How often pools and peers are looked at (`rbd_mirror_pool_replayers_refresh_interval`).
    public var refreshInterval: Duration
    /// How often an idle peer is asked for a sign of life.
    public var probeInterval = Duration.seconds(5)
    /// How journals are followed.
    public var journals = JournalFollowing()
    /// Ceph options for connections to peers.
    public var peerOptions: [(name: String, value: String)]

    public var deadlines: Deadlines { cluster.deadlines }

    public init(
        cluster: ClusterConfiguration, daemonID: String? = nil, memoryBudget: Int = 24 << 20, objectsInFlight: Int = 16,
        cooperation: CooperationConfiguration? = nil, refreshInterval: Duration = .seconds(30),
        peerOptions: [(name: String, value: String)] = []
    ) {
        self.cluster = cluster
        self.daemonID = daemonID ?? String(cluster.user.split(separator: ".", maxSplits: 1).last ?? "")
        self.memoryBudget = memoryBudget
        self.objectsInFlight = objectsInFlight
        self.cooperation = cooperation
        self.refreshInterval = refreshInterval
        self.peerOptions = peerOptions
    }
}
