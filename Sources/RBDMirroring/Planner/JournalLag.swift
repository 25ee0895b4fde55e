internal import JournalReplay

/// How far a replica is behind, counted as stock does. Pure.
enum JournalLag {
    /// Entries between what the source's image and a replica have committed.
    ///
    /// From the end of an epoch on it is counted in the epoch before; a commit of the replica that is ahead of the image's own counts
    /// as none behind.
    static func entries(primary: JournalPosition?, replica: JournalPosition?, tags: [JournalTag]) -> UInt64 {
        guard let primary else { return 0 }
        let (replicaTag, replicaEntry) = replica.map { ($0.tag, $0.entry + 1) } ?? (0, 0)
        var (tag, entry) = (primary.tag, primary.entry + 1)
        var count: UInt64 = 0
        while tag > replicaTag {
            count += entry
            guard let before = tags.first(where: { $0.id == tag }).flatMap({ try? $0.epoch().predecessor }), before.isCommitted,
                before.owner == .local, before.tag < tag else { return count }
            (tag, entry) = (before.tag, before.entry + 1)
        }
        return tag < replicaTag || entry < replicaEntry ? count : count + entry - replicaEntry
    }
}
