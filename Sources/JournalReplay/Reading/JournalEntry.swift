internal import CephCore
public import RBDImage

/// An entry of a journal: what was done, and where it says so.
public struct JournalEntry: Hashable, Sendable {
    public let position: JournalPosition
    /// Where it begins in its object, in bytes.
    public let offset: UInt64
    /// As it is written there: what ``record`` was decoded from.
    public let payload: ArraySlice<UInt8>
    public let record: JournalRecord

    public var event: JournalEvent { record.event }
    /// When the event was made, by the primary's clock.
    public var timestamp: CephTime? { record.timestamp }

    /// - Throws: ``JournalDamage`` for a payload that is no event.
    init(_ head: EntryMerge.Head, in journal: Journal) throws(JournalDamage) {
        let position = JournalPosition(object: head.object, tag: head.frame.tag, entry: head.frame.entry)
        do throws(WireError) { try self.init(position, at: head.offset, head.frame.payload) } catch {
            throw JournalDamage(.undecodable, object: journal.dataObject(head.object), offset: head.offset, detail: "\(error)")
        }
    }

    init(_ position: JournalPosition, at offset: UInt64, _ payload: ArraySlice<UInt8>) throws(WireError) {
        (self.position, self.offset, self.payload) = (position, offset, payload)
        record = try JournalRecord(payload: payload)
    }
}
