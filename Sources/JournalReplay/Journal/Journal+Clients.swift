public import CephCore

extension Journal {
    /// A client's record.
    ///
    /// - Throws: `ENOENT` for one that is not registered.
    public func client(_ id: String) async throws(CephError) -> JournalClient { try await ask(JournalMethod.client(id)) }

    /// Registers a client: from now on the journal is kept for it, from where the slowest connected one is.
    ///
    /// One that nobody serves pins the journal for ever: see ``unregister(_:)``.
    /// - Throws: `EEXIST` when it is registered.
    public func register(_ id: String, _ role: JournalClientRole?) async throws(CephError) {
        try await change(JournalMethod.clientRegister(id, data: role?.encoded ?? []))
    }

    /// Replaces what a client keeps for itself.
    public func update(_ id: String, _ role: JournalClientRole) async throws(CephError) {
        try await change(JournalMethod.clientUpdate(id, data: role.encoded))
    }

    /// Says how far a client has come. Nothing checks that it does not go back.
    ///
    /// All who have the journal open are told, so that the primary trims it.
    public func commit(_ id: String, _ position: JournalCommitPosition) async throws(CephError) {
        try await change(JournalMethod.clientCommit(id, position))
    }

    /// Lets a client go, and tags that nobody needs any more.
    ///
    /// - Throws: `ENOENT` when it is not registered.
    public func unregister(_ id: String) async throws(CephError) { try await change(JournalMethod.clientUnregister(id)) }

    /// Cuts a client off: the journal is no longer kept for it, and it has to begin anew.
    ///
    /// - Throws: `ENOENT` when it is not registered.
    public func disconnect(_ id: String) async throws(CephError) {
        try await change(JournalMethod.clientUpdate(id, state: .disconnected))
    }
}

extension Journal {
    /// A tag.
    ///
    /// - Throws: `ENOENT` for one that is not there.
    public func tag(_ id: UInt64) async throws(CephError) -> JournalTag { try await ask(JournalMethod.tag(id)) }

    /// Begins a new epoch.
    ///
    /// - Parameter tagClass: The image's; nil for a new one, as the first tag of a journal has it.
    public func createTag(_ epoch: JournalEpoch, tagClass: UInt64?) async throws(CephError) -> JournalTag {
        while true {
            let id = try await ask(JournalMethod.nextTag())
            do throws(CephError) {
                try await change(JournalMethod.tagCreate(id, tagClass: tagClass, data: epoch.encoded))
            } catch {
                // Somebody else was faster.
                guard error.code == Self.isStale else { throw error }
                continue
            }
            return try await tag(id)
        }
    }

    static let isStale: Int32 = 116
}
