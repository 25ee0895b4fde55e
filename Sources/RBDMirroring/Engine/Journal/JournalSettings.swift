internal import CephCore
public import JournalReplay
internal import RBDImage

/// How an ``RBDMirror`` follows journals; what is nil is as Ceph's options have it.
public struct JournalFollowing: Sendable {
    /// How often to look for entries, of which nobody tells.
    public var polling = JournalPolling()
    /// How often to commit what was applied, and to show figures (`rbd_mirror_journal_commit_age`).
    public var commitAge: Duration?
    /// How often a first sync records how far it is (`rbd_mirror_sync_point_update_age`).
    public var syncPointAge: Duration?
    /// Bytes of a journal that are read ahead (`rbd_mirror_journal_max_fetch_bytes`, where Ceph knows it).
    public var readAhead: Int?
    /// Whether a replica that its source has cut off is made anew (`rbd_mirroring_resync_after_disconnect`).
    public var resyncsAfterDisconnect: Bool?

    public init() {}
}

/// What holds for one image.
struct JournalSettings: Sendable {
    var polling: JournalPolling
    var commitAge: Duration
    var syncPointAge: Duration
    var readAhead: Int
    var resyncsAfterDisconnect: Bool
    /// An entry is applied no sooner than so long after it was made.
    var delay: Duration

    /// An image's own settings come before the cluster's.
    init(_ wishes: JournalFollowing, metadata: [String: [UInt8]], on cluster: Cluster) {
        func own(_ name: String) -> String? { metadata["conf_\(name)"].map { String(decoding: $0, as: UTF8.self) } }
        func text(_ name: String) -> String? { own(name) ?? (try? cluster.option(name)) }
        func seconds(_ name: String, else fallback: Double) -> Duration {
            .milliseconds(Int(min(max(text(name).flatMap(Double.init) ?? fallback, 0), 1e9) * 1000))
        }
        polling = wishes.polling
        commitAge = max(wishes.commitAge ?? seconds("rbd_mirror_journal_commit_age", else: 5), .milliseconds(10))
        syncPointAge = wishes.syncPointAge ?? seconds("rbd_mirror_sync_point_update_age", else: 30)
        readAhead = max(wishes.readAhead ?? text("rbd_mirror_journal_max_fetch_bytes").flatMap(Int.init) ?? Self.usualReadAhead, 32 << 10)
        let resync = "rbd_mirroring_resync_after_disconnect"
        resyncsAfterDisconnect = own(resync).map(Self.isTrue) ?? wishes.resyncsAfterDisconnect ?? text(resync).map(Self.isTrue) ?? false
        delay = seconds("rbd_mirroring_replay_delay", else: 0)
    }

    private static let usualReadAhead = 4 << 20

    private static func isTrue(_ text: String) -> Bool { ["true", "yes", "1", "on"].contains(text.lowercased()) }
}
