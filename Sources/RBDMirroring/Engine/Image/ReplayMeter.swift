internal import Foundation
internal import RBDImage
internal import Replication
internal import SnapshotDelta

/// The figures in a replaying image's status.
struct ReplayMeter {
    private var rate = RateMeter()
    private var bytesPerSnapshot = RollingMean()
    private var bytesSeen: UInt64 = 0
    private var last: (bytes: UInt64, seconds: Double)?
    private var localTime: UInt32?
    private var remoteTime: UInt32?
    private var syncing: (time: UInt32?, percent: Int)?
    private var pending = 0
    private var shownAt = ContinuousClock.now

    mutating func observe(local: ImageHeader, source: ImageHeader, _ pair: PoolPair) {
        let points = source.mirrorSnapshots.filter { $0.mirror!.complete && $0.mirror!.state.isPrimary }
        let newest = local.mirrorSnapshots.last { $0.mirror!.complete && $0.mirror!.state.isNonPrimary }
        let reached = newest.flatMap { source.snapshot($0.mirror!.primarySnapshotID) }
        remoteTime = points.last?.timestamp.seconds
        localTime = reached?.timestamp.seconds
        let floor = reached?.id ?? 0
        let waiting = points.filter { $0.id > floor && $0.mirror!.peers.contains(pair.remotePeerUUID) }
        pending = waiting.count
        syncing = (waiting.first?.timestamp.seconds, 0)
    }

    mutating func began() { bytesSeen = 0 }

    /// Takes progress in; returns whether it is time to show it.
    mutating func progressed(_ progress: CopyProgress) -> Bool {
        if progress.bytesRead > bytesSeen {
            rate.add(Int(progress.bytesRead - bytesSeen), at: Self.now)
            bytesSeen = progress.bytesRead
        }
        syncing?.percent = progress.objectsTotal == 0 ? 0 : 100 * progress.objectsDone / progress.objectsTotal
        guard shownAt.duration(to: .now) > .seconds(1) else { return false }
        shownAt = .now
        return true
    }

    mutating func ended(_ progress: CopyProgress, seconds: Double) {
        if progress.bytesRead > bytesSeen { rate.add(Int(progress.bytesRead - bytesSeen), at: Self.now) }
        bytesPerSnapshot.add(Double(progress.bytesRead))
        last = (progress.bytesRead, seconds)
    }

    mutating func failed() { bytesSeen = 0 }

    private static let start = ContinuousClock.now
    private static var now: Duration { start.duration(to: .now) }

    /// The status text of a replaying image: stock's words and figures.
    func description(isSyncing: Bool) -> String {
        var figures: [String: String] = [
            "replay_state": isSyncing ? "\"syncing\"" : "\"idle\"",
            "bytes_per_second": Self.number(rate.bytesPerSecond(at: Self.now)),
            "bytes_per_snapshot": Self.number(bytesPerSnapshot.mean),
        ]
        if let remoteTime { figures["remote_snapshot_timestamp"] = "\(remoteTime)" }
        if let localTime { figures["local_snapshot_timestamp"] = "\(localTime)" }
        if let last {
            figures["last_snapshot_bytes"] = "\(last.bytes)"
            figures["last_snapshot_sync_seconds"] = "\(Int(last.seconds))"
        }
        if isSyncing, let syncing, let time = syncing.time {
            figures["syncing_snapshot_timestamp"] = "\(time)"
            figures["syncing_percent"] = "\(syncing.percent)"
        }
        let rate = rate.bytesPerSecond(at: Self.now)
        if pending > 0, rate > 0 { figures["seconds_until_synced"] = "\(Int(Double(pending) * bytesPerSnapshot.mean / rate))" }
        return "replaying, {" + figures.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
