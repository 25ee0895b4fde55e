internal import CephCore

/// The entries of a journal in their order.
///
/// Damage is thrown where the order comes to it, after all that lies before it.
/// - Throws: ``JournalDamage``; `CephError`; `CancellationError`.
public struct JournalEntries: AsyncSequence, Sendable {
    public typealias Element = JournalEntry

    fileprivate let journal: Journal
    fileprivate let committed: JournalCommitPosition
    fileprivate let readAhead: Int
    fileprivate let polling: JournalPolling?
    fileprivate let onHeader: (@Sendable (JournalHeader) -> Void)?

    public func makeAsyncIterator() -> Iterator { Iterator(entries: self) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let entries: JournalEntries
        private var pass: JournalPass?

        fileprivate init(entries: JournalEntries) { self.entries = entries }

        public mutating func next() async throws -> JournalEntry? {
            if pass == nil {
                pass = try await JournalPass(
                    entries.journal, after: entries.committed, readAhead: entries.readAhead, following: entries.polling,
                    onHeader: entries.onHeader)
            }
            return try await pass!.next().map { (head) throws(JournalDamage) in try JournalEntry(head, in: entries.journal) }
        }
    }
}

extension Journal {
    /// What is there of the journal, in order, up to its end at the moment.
    ///
    /// - Parameters:
    ///   - committed: Where to go on: a client's commit position; the beginning by default.
    ///   - readAhead: How many bytes may have been read that nobody has asked for: 8 KiB for each object that is written side by side
    ///     at least.
    public func entries(after committed: JournalCommitPosition = .init(), readAhead: Int = 8 << 20) -> JournalEntries {
        JournalEntries(journal: self, committed: committed, readAhead: readAhead, polling: nil, onHeader: nil)
    }

    /// What is there of the journal, and what comes, in order; it ends with an error only, `ENOENT` when the journal is removed.
    ///
    /// Nobody is told of entries: they are looked for. A new tag, and what clients do, is told.
    /// - Parameters:
    ///   - committed: Where to go on: a client's commit position; the beginning by default.
    ///   - polling: How often to look.
    ///   - readAhead: As in ``entries(after:readAhead:)``.
    ///   - onHeader: Gets the header whenever it was read: at first, when somebody has told of a change, and now and then.
    public func follow(
        after committed: JournalCommitPosition = .init(), polling: JournalPolling = .init(), readAhead: Int = 8 << 20,
        onHeader: (@Sendable (JournalHeader) -> Void)? = nil
    ) -> JournalEntries {
        JournalEntries(journal: self, committed: committed, readAhead: readAhead, polling: polling, onHeader: onHeader)
    }
}

/// How often one who follows a journal looks for entries: each look is a read of one object.
public struct JournalPolling: Hashable, Sendable {
    /// Between two looks at a journal that was written to lately.
    public var active: Duration
    /// Between two looks at another one.
    public var idle: Duration
    /// How long an entry makes a journal one that was written to lately.
    public var lately: Duration

    public init(active: Duration = .milliseconds(100), idle: Duration = .milliseconds(1500), lately: Duration = .seconds(60)) {
        (self.active, self.idle, self.lately) = (active, idle, lately)
    }
}
