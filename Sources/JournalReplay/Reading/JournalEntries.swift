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

    public func makeAsyncIterator() -> Iterator { Iterator(entries: self) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let entries: JournalEntries
        private var pass: JournalPass?

        fileprivate init(entries: JournalEntries) { self.entries = entries }

        public mutating func next() async throws -> JournalEntry? {
            if pass == nil { pass = try await JournalPass(entries.journal, after: entries.committed, readAhead: entries.readAhead) }
            return try await pass!.next()
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
        JournalEntries(journal: self, committed: committed, readAhead: readAhead)
    }
}

/// One way through a journal.
struct JournalPass {
    private let journal: Journal
    private let header: JournalHeader
    private var merge: EntryMerge
    private let reads: LaneReads
    /// What lies behind the entries of a lane.
    private var damage: [Int: JournalDamage] = [:]

    init(_ journal: Journal, after committed: JournalCommitPosition, readAhead: Int) async throws {
        self.journal = journal
        header = try await yieldingToCancellation { try await journal.header() }
        let width = Int(journal.geometry.splayWidth)
        merge = EntryMerge(width: width, after: committed.newest)
        let chunk = max(4096, readAhead / (2 * width))
        reads = LaneReads(journal.startObjects(committed, header).map { LaneReader(journal, object: $0, chunk: chunk) })
    }

    /// Entries that were passed over: under way when their writer died.
    var strays: Int { merge.strays }

    mutating func next() async throws -> JournalEntry? {
        while true {
            switch merge.next() {
            case .entry(let head): return JournalEntry(head)
            case .gap(let head): throw JournalDamage(.missingEntry, object: journal.dataObject(head.object), offset: head.offset)
            case .needs(let lane):
                for other in merge.emptyLanes { reads.begin(other, activeSet: header.activeSet) }
                try await take(lane)
            case .stalled:
                guard let (tag, entry) = merge.expected else { return nil }
                if let last = header.loss(atEndOf: tag, entry: entry) { throw reads.loss(of: entry, to: last, tag, journal) }
                merge.endTag()
            }
        }
    }

    private mutating func take(_ lane: Int) async throws {
        if let damage = damage[lane] { throw damage }
        let batch = try await reads.take(lane)
        merge.add(batch.heads, to: lane, isAtEnd: batch.isAtEnd)
        damage[lane] = batch.damage
        // What comes next is read while this is worked on.
        if !batch.isAtEnd, batch.damage == nil { reads.begin(lane, activeSet: header.activeSet) }
    }
}

extension JournalEntry {
    init(_ head: EntryMerge.Head) {
        self.init(
            position: JournalPosition(object: head.object, tag: head.frame.tag, entry: head.frame.entry), offset: head.offset,
            payload: head.frame.payload)
    }
}

extension Journal {
    /// Where each lane begins for a client that has come so far.
    func startObjects(_ committed: JournalCommitPosition, _ header: JournalHeader) -> [UInt64] {
        let (first, overflows) = header.minimumSet.multipliedReportingOverflow(by: geometry.width)
        return (0..<geometry.width).map { lane in
            committed.positions.first { geometry.lane(ofObject: $0.object) == lane }?.object
                ?? (overflows || first > .max - lane ? lane : first + lane)
        }
    }
}

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
