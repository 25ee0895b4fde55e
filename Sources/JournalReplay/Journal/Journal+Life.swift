public import CephCore

extension Journal {
    /// Makes an image's journal, with nothing in it: its first tag, and the image as its only client.
    ///
    /// The image is to have the journaling feature; it has to be closed.
    /// - Throws: `EEXIST` when it has a journal; `EINVAL` for a geometry that cannot be.
    @discardableResult
    public static func create(
        ofImage id: String, _ geometry: JournalGeometry = .init(), in pool: Pool, epoch: JournalEpoch = .init(.local)
    ) async throws(CephError) -> Journal {
        guard geometry.isValid else { throw CephError(code: 22, operation: "journal.create", subject: JournalNames.header(id)) }
        let image = JournalClientRole.image(.init(tagClass: 0))
        // Three operations: in one, none would see what the one before it changed.
        for call in [
            JournalMethod.create(geometry), JournalMethod.tagCreate(0, tagClass: nil, data: epoch.encoded),
            JournalMethod.clientRegister(JournalClient.imageID, data: image.encoded),
        ] {
            var operation = WriteOperation()
            operation.call(call)
            try await pool.apply(operation, to: JournalNames.header(id))
        }
        return try await Journal(ofImage: id, in: pool)
    }

    /// Removes the journal: its entries, then its header. The image has to be closed.
    ///
    /// Goes on with one that was removed in part, as long as its header is there.
    public func remove() async throws(CephError) {
        let header = try await header()
        var set = header.minimumSet
        while set <= header.activeSet {
            try await removeSet(set)
            set += 1
        }
        try await pool.removeIfExists(headerObject)
    }

    /// Removes all entries, clients and tags; the geometry stays. The image has to be closed.
    ///
    /// Peers are to be registered anew and filled from the beginning.
    public func reset() async throws(CephError) {
        try await remove()
        try await Journal.create(ofImage: id, geometry, in: pool)
    }

    /// Removes the sets of objects that every connected client has left behind; returns how many.
    ///
    /// The primary does that as soon as it is told of a commit; without one that is open nobody does.
    @discardableResult
    public func trim() async throws(CephError) -> Int {
        let sets = try await header().trimmableSets
        for set in sets {
            try await removeSet(set)
            // Somebody else, who does the same, may be ahead.
            do throws(CephError) { try await change(JournalMethod.setMinimumSet(set + 1)) } catch {
                guard error.code == Self.isStale else { throw error }
            }
        }
        return sets.count
    }

    private func removeSet(_ set: UInt64) async throws(CephError) {
        for object in geometry.objects(ofSet: set) { try await dataPool.removeIfExists(dataObject(object)) }
    }
}
