internal import Foundation
internal import RBDImage
internal import Replication
internal import SnapshotDelta

/// The figures of one image's replay.
struct ReplayMeter {
    private var rate = RateMeter()
    private var bytesPerSnapshot = RollingMean()
    private var counted: UInt64 = 0
    private(set) var lastSync: LastSync?
    private(set) var localTime: UInt64?
    private(set) var remoteTime: UInt64?
    private(set) var pending = 0
    private var nextTime: UInt64?
    private(set) var progress: SyncProgress?
    private var shownAt: ContinuousClock.Instant?
    private var movedAt: ContinuousClock.Instant?

    private static let start = ContinuousClock.now
    private static var now: Duration { start.duration(to: .now) }

    /// Takes in what both headers show.
    mutating func observe(local: ImageHeader, source: ImageHeader, _ pair: PoolPair) {
        let points = source.mirrorSnapshots.filter { $0.mirror!.complete && $0.mirror!.state.isPrimary }
        let newest = local.mirrorSnapshots.last { $0.mirror!.complete && $0.mirror!.state.isNonPrimary }
        let reached = newest.flatMap { source.snapshot($0.mirror!.primarySnapshotID) }
        remoteTime = points.last.map { UInt64($0.timestamp.seconds) }
        localTime = reached.map { UInt64($0.timestamp.seconds) }
        let waiting = points.filter { $0.id > reached?.id ?? 0 && $0.mirror!.peers.contains(pair.remotePeerUUID) }
        pending = waiting.count
        nextTime = waiting.first.map { UInt64($0.timestamp.seconds) }
    }

    mutating func began() {
        counted = 0
        progress = SyncProgress()
        shownAt = .now
        movedAt = .now
    }

    /// Whether a sync is under way and has come further lately.
    func hasMoved(within limit: Duration) -> Bool {
        guard progress != nil, let movedAt else { return false }
        return movedAt.duration(to: .now) < limit
    }

    /// Takes progress in; returns whether it is time to show it.
    mutating func progressed(_ copy: CopyProgress) -> Bool {
        count(copy)
        movedAt = .now
        let speed = rate.bytesPerSecond(at: Self.now)
        let done = copy.objectsTotal == 0 ? 0 : Double(copy.objectsDone) / Double(copy.objectsTotal)
        let left = done > 0 && speed > 0 ? Double(copy.bytesRead) * (1 - done) / done / speed : nil
        progress = SyncProgress(
            objectsDone: UInt64(copy.objectsDone), objectsTotal: UInt64(copy.objectsTotal), bytesDone: copy.bytesRead,
            bytesPerSecond: speed, secondsLeft: left)
        guard shownAt.map({ $0.duration(to: .now) > .seconds(1) }) ?? true else { return false }
        shownAt = .now
        return true
    }

    /// - Parameter isNewPoint: Else what was there was compared, which is no sync to be shown.
    mutating func ended(_ copy: CopyProgress, seconds: Double, isNewPoint: Bool) {
        count(copy)
        progress = nil
        guard isNewPoint else { return }
        bytesPerSnapshot.add(Double(copy.bytesRead))
        lastSync = LastSync(bytes: copy.bytesRead, seconds: seconds, finished: .now())
    }

    mutating func failed() { progress = nil }

    private mutating func count(_ copy: CopyProgress) {
        guard copy.bytesRead > counted else { return }
        rate.add(Int(copy.bytesRead - counted), at: Self.now)
        counted = copy.bytesRead
    }

    /// The figures as stock tools show them.
    var figures: SnapshotReplayFigures {
        var figures = SnapshotReplayFigures(
            bytesPerSecond: rate.bytesPerSecond(at: Self.now), bytesPerSnapshot: bytesPerSnapshot.mean,
            lastSnapshotBytes: lastSync?.bytes ?? 0, lastSnapshotSyncSeconds: UInt64(lastSync?.seconds ?? 0),
            localTimestamp: localTime, remoteTimestamp: remoteTime,
            syncing: progress.map { .init(timestamp: nextTime, percent: UInt64($0.fraction * 100)) })
        figures.estimate(pendingPoints: pending)
        return figures
    }

    /// The status of an image that is followed.
    func status(_ reason: ReasonCode) -> ReplicationStatus {
        ReplicationStatus(
            role: .replica, state: .replaying, reason: progress == nil ? reason : .syncing, progress: progress,
            lastSync: lastSync, lastPoint: localTime.map { WallTime(secondsSince1970: Double($0)) },
            sourcePoint: remoteTime.map { WallTime(secondsSince1970: Double($0)) }, pendingPoints: pending)
    }
}
