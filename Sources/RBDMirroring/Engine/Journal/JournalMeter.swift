internal import JournalReplay
internal import Replication

/// The figures of one image's replay by journal.
struct JournalMeter {
    private var bytes = RateMeter()
    private var entries = RateMeter()
    private static let start = ContinuousClock.now
    private static var now: Duration { start.duration(to: .now) }

    mutating func applied(_ batch: [JournalEntry]) {
        bytes.add(batch.reduce(0) { $0 + $1.payload.count }, at: Self.now)
        entries.add(batch.count, at: Self.now)
    }

    /// As stock tools show them.
    ///
    /// - Parameter committed: What the replica has.
    func figures(_ header: JournalHeader, _ committed: JournalCommitPosition) -> JournalReplayFigures {
        let primary = header.client(JournalClient.imageID)?.committed.newest
        let behind = JournalLag.entries(primary: primary, replica: committed.newest, tags: header.tags)
        let rate = entries.bytesPerSecond(at: Self.now)
        return JournalReplayFigures(
            bytesPerSecond: bytes.bytesPerSecond(at: Self.now), entriesPerSecond: rate, entriesBehindPrimary: behind,
            replica: committed.newest.map(Self.place), primary: primary.map(Self.place),
            secondsUntilSynced: behind > 0 && rate > 0 ? UInt64(min(Double(behind) / rate, 1e12)) : nil)
    }

    private static func place(_ position: JournalPosition) -> JournalReplayFigures.Position {
        .init(entry: position.entry, object: position.object, tag: position.tag)
    }
}
