internal import CephCore

/// Reads the objects of one lane of a journal one after the other.
struct LaneReader: Sendable {
    /// What was read of a lane, and the lane as it is then.
    struct Batch: Sendable {
        var heads: [EntryMerge.Head] = []
        /// Whether that is all there was at the moment.
        var isAtEnd = false
        /// What lies behind the heads.
        var damage: JournalDamage?
        var lane: LaneReader
    }

    private let journal: Journal
    /// Bytes a read takes at most.
    private let chunk: Int
    /// The object that is read.
    private(set) var object: UInt64
    /// Of what is read next.
    private(set) var offset: UInt64 = 0
    /// The beginning of an entry, which ends at `offset`.
    private var rest: ArraySlice<UInt8> = []

    init(_ journal: Journal, object: UInt64, chunk: Int) { (self.journal, self.object, self.chunk) = (journal, object, chunk) }

    /// Reads on until there are entries, or nothing more.
    ///
    /// - Parameter activeSet: As it was before the call: an object of an older set does not grow any more.
    func next(activeSet: UInt64) async throws -> Batch {
        var lane = self
        var batch = Batch(lane: self)
        while try await !lane.advance(&batch, activeSet) { try Task.checkCancellation() }
        batch.lane = lane
        return batch
    }

    /// Reads once; returns whether that was enough.
    private mutating func advance(_ batch: inout Batch, _ activeSet: UInt64) async throws -> Bool {
        let bytes = try await read()
        offset += UInt64(bytes.count)
        var scanner = FrameScanner(rest.isEmpty ? bytes : rest + bytes, at: offset - UInt64(rest.count + bytes.count))
        rest = []
        scan: while true {
            switch scanner.next() {
            case .frame(let frame, let offset): batch.heads.append(.init(frame: frame, object: object, offset: offset))
            case .damage(let kind, let offset):
                batch.damage = JournalDamage(kind, object: journal.dataObject(object), offset: offset)
                return true
            case .end: break scan
            }
        }
        rest = scanner.rest
        guard rest.count <= journal.geometry.objectSize else {
            batch.damage = JournalDamage(.oversized, object: journal.dataObject(object), offset: scanner.offset)
            return true
        }
        if bytes.count == chunk { return !batch.heads.isEmpty }
        // The end of the object. What has only begun there is nothing, if nothing is added any more.
        let (next, overflows) = object.addingReportingOverflow(journal.geometry.width)
        guard journal.geometry.set(ofObject: object) < activeSet, !overflows else {
            batch.isAtEnd = true
            return true
        }
        (object, offset, rest) = (next, 0, [])
        return !batch.heads.isEmpty
    }

    private func read() async throws -> [UInt8] {
        let (journal, name, offset, chunk) = (journal, journal.dataObject(object), offset, chunk)
        do {
            return try await yieldingToCancellation { try await journal.dataPool.read(name, at: offset, length: chunk) }
        } catch let error as CephError where error.isNotFound { return [] }
    }
}
