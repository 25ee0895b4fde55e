extension JournalHeader {
    /// The last entry of a tag that is known to have been committed, if that is not before the one that is missing at the tag's end.
    ///
    /// The end of a tag is found where an entry is missing, wherever that is: here it is looked at from the other side, by what the
    /// image has committed and what later tags follow on.
    func loss(atEndOf tag: UInt64, entry: UInt64) -> UInt64? {
        let own = client(JournalClient.imageID)?.committed.positions.map { ($0.tag, $0.entry) } ?? []
        // A replica's journal has tags of its source, whose entries are elsewhere.
        let isOwn = (tags.first { $0.id == tag }.flatMap { try? $0.epoch().owner } ?? .local) == .local
        let later = tags.compactMap { try? $0.epoch().predecessor }.filter { isOwn && $0.owner == .local && $0.isCommitted }
        return (own + later.map { ($0.tag, $0.entry) }).filter { $0.0 == tag && $0.1 >= entry }.map(\.1).max()
    }
}
