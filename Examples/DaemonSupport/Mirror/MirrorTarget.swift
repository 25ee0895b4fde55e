/// What a command `rbd mirror …` is about.
public struct MirrorTarget: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case everything
        case pool
        case image
        case deletion
    }
    let kind: Kind
    /// The words behind the verb.
    public let words: String

    /// All pools.
    public static let everything = MirrorTarget(kind: .everything, words: "")
    /// One pool's replication from one peer, by the peer's site name.
    public static func pool(_ pool: String, peer site: String) -> MirrorTarget {
        MirrorTarget(kind: .pool, words: "\(pool) \(site)")
    }
    /// One image, as `pool/image` or `pool/namespace/image`.
    public static func image(_ spec: String) -> MirrorTarget { MirrorTarget(kind: .image, words: spec) }
    /// A pool's queue of replicas to be deleted.
    static func deletion(_ pool: String) -> MirrorTarget { MirrorTarget(kind: .deletion, words: pool) }
}

/// What can be done to a target; an open set.
public struct MirrorAction: Sendable, Hashable {
    /// The command's verb, as in `stop`.
    public let verb: String

    public static let start = MirrorAction(verb: "start")
    /// Stopped by hand: not started again by itself.
    public static let stop = MirrorAction(verb: "stop")
    public static let restart = MirrorAction(verb: "restart")
    public static let flush = MirrorAction(verb: "flush")
    /// Give the leadership of a pool, or of all, to another daemon. Not for images.
    public static let releaseLeader = MirrorAction(verb: "leader release")
}

/// The engine as the commands `rbd mirror …` see it.
public protocol MirrorControl: Sendable {
    /// Every pool's state now.
    func status() async -> [PoolReplayerStatus]
    /// Carries out an action; the error's description goes to the operator.
    func perform(_ action: MirrorAction, on target: MirrorTarget) async throws
}
