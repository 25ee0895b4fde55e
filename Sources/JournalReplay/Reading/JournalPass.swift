internal import CephCore

/// One way through a journal, to its end or beyond.
struct JournalPass {
    private let journal: Journal
    private var header: JournalHeader
    private var merge: EntryMerge
    private let reads: LaneReads
    /// What lies behind the entries of a lane.
    private var damage: [Int: JournalDamage] = [:]
    private let lookout: JournalLookout?
    private let onHeader: (@Sendable (JournalHeader) -> Void)?

    /// - Parameter polling: Nil to end where the journal does.
    init(
        _ journal: Journal, after committed: JournalCommitPosition, readAhead: Int, following polling: JournalPolling? = nil,
        onHeader: (@Sendable (JournalHeader) -> Void)? = nil
    ) async throws {
        (self.journal, self.onHeader) = (journal, onHeader)
        lookout = if let polling { try await JournalLookout(journal, polling) } else { nil }
        header = try await yieldingToCancellation { try await journal.header() }
        let width = Int(journal.geometry.splayWidth)
        onHeader?(header)
        merge = EntryMerge(width: width, after: committed.newest)
        let chunk = max(4096, readAhead / (2 * width))
        reads = LaneReads(journal.startObjects(committed, header).map { LaneReader(journal, object: $0, chunk: chunk) })
    }

    /// Entries that were passed over: under way when their writer died.
    var strays: Int { merge.strays }

    mutating func next() async throws -> EntryMerge.Head? {
        while true {
            let before = merge.tagBefore
            switch merge.next() {
            case .entry(let head):
                lookout?.saw()
                if let before { try refuseLoss(after: before, before: head.frame.tag) }
                return head
            case .gap(let head): throw JournalDamage(.missingEntry, object: journal.dataObject(head.object), offset: head.offset)
            case .needs(let lane):
                for other in merge.emptyLanes { reads.begin(other, knowing: header) }
                try await take(lane)
            case .stalled(let lane):
                if try await !isTagComplete(lane) { continue }
                if let before = merge.tagBefore { try refuseLoss(after: before, before: .max) }
                guard let (tag, entry) = merge.expected else { return nil }
                if let last = header.loss(atEndOf: tag, entry: entry) { throw reads.loss(of: entry, to: last, tag, journal) }
                merge.endTag()
            }
        }
    }

    /// Of a tag that there was not even the first entry is found.
    private func refuseLoss(after tag: UInt64, before end: UInt64) throws {
        guard let (tag, last) = header.loss(after: tag, before: end) else { return }
        throw reads.loss(of: 0, to: last, tag, journal)
    }

    private mutating func take(_ lane: Int) async throws {
        if let damage = damage[lane] { throw damage }
        let batch = try await reads.take(lane)
        merge.add(batch.heads, to: lane, isAtEnd: batch.isAtEnd)
        damage[lane] = batch.damage
        // What comes next is read while this is worked on.
        if !batch.isAtEnd, batch.damage == nil { reads.begin(lane, knowing: header) }
    }

    /// Whether what is missing in a lane will not come any more; looks again otherwise, after a pause if need be.
    private mutating func isTagComplete(_ lane: Int) async throws -> Bool {
        guard let lookout else { return true }
        // A tag that there was already when the lane was read: whoever wrote the one before has ended.
        if let (tag, entry) = merge.expected, let known = reads.header(whenReading: lane) {
            if known.nextTag > tag, known.nextTag - 1 > tag { return true }
            // What the image has committed cannot be on its way.
            if known.loss(atEndOf: tag, entry: entry) != nil { return true }
        }
        if let before = merge.tagBefore, reads.header(whenReading: lane)?.loss(after: before) != nil { return true }
        if lookout.hasSeen(since: reads.began(lane)) { lookout.lookAtOnce() }
        if try await lookout.wait() {
            let journal = journal
            header = try await yieldingToCancellation { try await journal.header() }
            onHeader?(header)
        }
        merge.reopen(lane)
        return false
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
