public import RBDImage

/// What a leader does about a pool's trash.
public struct TrashPlan: Hashable, Sendable {
    /// Ids of the images to delete now, the longest overdue first.
    public let due: [String]
    /// When the next one is due, by the wall clock; nil when none is deferred.
    public let nextDue: CephTime?

    /// Looks through the trash: what mirroring put there is deleted in its time, everything else is left alone.
    ///
    /// One that is being restored, or moved here, is not due; one whose removal has begun is, whatever its time.
    public init(_ entries: [String: TrashImageSpec], at now: CephTime) {
        let mine = entries.filter { $0.value.source == .mirroring }
        let begun = mine.filter { $0.value.state == .removing }
        let resting = mine.filter { $0.value.state == .normal }
        let ripe = begun.merging(resting.filter { $0.value.defermentEnd <= now }) { one, _ in one }
        due = ripe.sorted { ($0.value.defermentEnd, $0.key) < ($1.value.defermentEnd, $1.key) }.map(\.key)
        nextDue = resting.values.map(\.defermentEnd).filter { $0 > now }.min()
    }
}
