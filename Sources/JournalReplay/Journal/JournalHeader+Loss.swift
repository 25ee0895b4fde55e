extension JournalHeader {
    /// The last entry of a tag that is known to have been committed, if that is not before the one that is missing at the tag's end.
    ///
    /// The end of a tag is found where an entry is missing, wherever that is: here it is looked at from the other side, by what the
    /// image has committed and what later tags follow on.
    func loss(atEndOf tag: UInt64, entry: UInt64) -> UInt64? {
        known.filter { $0.tag == tag && $0.entry >= entry }.map(\.entry).max()
    }

    /// The first tag between two others of which something is known to have been committed.
    func loss(after tag: UInt64, before end: UInt64 = .max) -> (tag: UInt64, entry: UInt64)? {
        known.filter { $0.tag > tag && $0.tag < end }.min { $0 < $1 }
    }

    /// Entries that there were.
    private var known: [(tag: UInt64, entry: UInt64)] {
        let own = client(JournalClient.imageID)?.committed.positions.map { ($0.tag, $0.entry) } ?? []
        let later = tags.compactMap { try? $0.epoch().predecessor }.filter { before in
            // A replica's journal has tags of its source, whose entries are elsewhere.
            let owner = tags.first { $0.id == before.tag }.flatMap { try? $0.epoch().owner } ?? .local
            return owner == .local && before.owner == .local && before.isCommitted
        }
        return own + later.map { ($0.tag, $0.entry) }
    }
}
