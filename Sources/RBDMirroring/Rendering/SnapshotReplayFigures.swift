internal import Foundation

/// The figures of an image in snapshot mode, as stock tools show them after `replaying, `.
public struct SnapshotReplayFigures: Hashable, Sendable {
    /// The copy that is running.
    public struct Syncing: Hashable, Sendable {
        /// When the point being copied was taken, in seconds since 1970.
        public var timestamp: UInt64?
        /// 0 to 100.
        public var percent: UInt64

        public init(timestamp: UInt64?, percent: UInt64) {
            self.timestamp = timestamp
            self.percent = percent
        }
    }

    public var bytesPerSecond: Double
    /// Mean of the last syncs.
    public var bytesPerSnapshot: Double
    public var lastSnapshotBytes: UInt64
    public var lastSnapshotSyncSeconds: UInt64
    /// When the source took the newest point that is here; nil while there is none.
    public var localTimestamp: UInt64?
    /// When the source took its newest complete point.
    public var remoteTimestamp: UInt64?
    /// Nil when idle.
    public var syncing: Syncing?
    /// Nil when nothing is pending, or nothing is moving.
    public var secondsUntilSynced: UInt64?

    public init(
        bytesPerSecond: Double = 0, bytesPerSnapshot: Double = 0, lastSnapshotBytes: UInt64 = 0,
        lastSnapshotSyncSeconds: UInt64 = 0, localTimestamp: UInt64? = nil, remoteTimestamp: UInt64? = nil,
        syncing: Syncing? = nil, secondsUntilSynced: UInt64? = nil
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.bytesPerSnapshot = bytesPerSnapshot
        self.lastSnapshotBytes = lastSnapshotBytes
        self.lastSnapshotSyncSeconds = lastSnapshotSyncSeconds
        self.localTimestamp = localTimestamp
        self.remoteTimestamp = remoteTimestamp
        self.syncing = syncing
        self.secondsUntilSynced = secondsUntilSynced
    }

    /// Estimates ``secondsUntilSynced`` as stock does: by the mean size of the points before.
    public mutating func estimate(pendingPoints: Int) {
        secondsUntilSynced = pendingPoints > 0
            ? secondsLeft(bytes: bytesPerSnapshot * Double(pendingPoints), bytesPerSecond: bytesPerSecond) : nil
    }

    /// The JSON text: compact, keys sorted.
    public var json: String {
        StockJSON.sorted([
            "replay_state": .text(syncing == nil ? "idle" : "syncing"),
            "bytes_per_second": .real(roundedToTwoPlaces(bytesPerSecond)),
            "bytes_per_snapshot": .real(roundedToTwoPlaces(bytesPerSnapshot)),
            "last_snapshot_bytes": .count(lastSnapshotBytes),
            "last_snapshot_sync_seconds": .count(lastSnapshotSyncSeconds),
            "local_snapshot_timestamp": localTimestamp.map { .count($0) },
            "remote_snapshot_timestamp": remoteTimestamp.map { .count($0) },
            "syncing_snapshot_timestamp": syncing?.timestamp.map { .count($0) },
            "syncing_percent": syncing.map { .count($0.percent) },
            "seconds_until_synced": secondsUntilSynced.map { .count($0) },
        ]).string
    }

    /// Reads the JSON text of any release; what it does not have is left out. Nil for what is no such text.
    public init?(json: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(json.utf8)) else { return nil }
        self.init(
            bytesPerSecond: fields.bytes_per_second ?? 0, bytesPerSnapshot: fields.bytes_per_snapshot ?? 0,
            lastSnapshotBytes: fields.last_snapshot_bytes ?? 0,
            lastSnapshotSyncSeconds: fields.last_snapshot_sync_seconds ?? 0,
            localTimestamp: fields.local_snapshot_timestamp, remoteTimestamp: fields.remote_snapshot_timestamp,
            syncing: fields.replay_state == "syncing"
                ? Syncing(timestamp: fields.syncing_snapshot_timestamp, percent: min(100, fields.syncing_percent ?? 0)) : nil,
            secondsUntilSynced: fields.seconds_until_synced)
    }

    private struct Fields: Decodable {
        var replay_state: String
        var bytes_per_second: Double?
        var bytes_per_snapshot: Double?
        var last_snapshot_bytes: UInt64?
        var last_snapshot_sync_seconds: UInt64?
        var local_snapshot_timestamp: UInt64?
        var remote_snapshot_timestamp: UInt64?
        var syncing_snapshot_timestamp: UInt64?
        var syncing_percent: UInt64?
        var seconds_until_synced: UInt64?
    }
}
