public import Replication

/// What an operator can ask of a running ``RBDMirror``; an open set.
public struct MirrorCommand: Hashable, Sendable {
    let name: String
    /// Serve again what was stopped by hand.
    public static let start = MirrorCommand(name: "start")
    /// Let go of the images; they stay stopped until started.
    public static let stop = MirrorCommand(name: "stop")
    /// Let go of the images and begin anew with what both sides show.
    public static let restart = MirrorCommand(name: "restart")
    /// Look at both sides at once instead of at the next change.
    public static let flush = MirrorCommand(name: "flush")
    /// Give a pool's leadership to another daemon.
    public static let releaseLeader = MirrorCommand(name: "release leader")
}

/// What a command is about.
public struct MirrorScope: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case everything, pool(String, site: String), image(String) }
    let kind: Kind

    public static let everything = MirrorScope(kind: .everything)
    /// A pool, and the site name of its peer.
    public static func pool(_ name: String, site: String) -> MirrorScope { MirrorScope(kind: .pool(name, site: site)) }
    /// An image as `pool/image` or `pool/namespace/image`.
    public static func image(_ spec: String) -> MirrorScope { MirrorScope(kind: .image(spec)) }
}

/// A command that could not be carried out.
public struct MirrorCommandError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    static func notServed(_ what: String) -> MirrorCommandError {
        MirrorCommandError(description: "\(what) is not served by this daemon")
    }
}

/// One pool that is served for one peer, at one moment.
public struct PoolReport: Hashable, Sendable, Codable {
    public var pool: String
    /// Of the local pool's record of the peer.
    public var peerUUID: String
    public var peerSite: String
    /// The user on the peer's cluster.
    public var peerClient: String
    /// This daemon's client in the pool; nil while not connected.
    public var instanceID: String?
    /// Nil while nobody leads.
    public var leaderID: String?
    public var isLeader: Bool
    /// The clients of all daemons that serve the pool; only the leader knows.
    public var instances: [String]
    /// How many syncs may run at once.
    public var concurrentSyncs: Int
    /// The images this daemon serves, by namespace; the default one is empty.
    public var namespaces: [String: [Report.Entry]]
    /// Standing complaints, as `rbd mirror pool status` shows them.
    public var callouts: [Report.Callout]
}
