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
            rate.add(bytes: progress.bytesRead - bytesSeen)
            bytesSeen = progress.bytesRead
        }
        syncing?.percent = progress.objectsTotal == 0 ? 0 : 100 * progress.objectsDone / progress.objectsTotal
        guard shownAt.duration(to: .now) > .seconds(1) else { return false }
        shownAt = .now
        return true
    }

    mutating func ended(_ progress: CopyProgress, seconds: Double) {
        if progress.bytesRead > bytesSeen { rate.add(bytes: progress.bytesRead - bytesSeen) }
        bytesPerSnapshot.add(Double(progress.bytesRead))
        last = (progress.bytesRead, seconds)
    }

    mutating func failed() { bytesSeen = 0 }
}
