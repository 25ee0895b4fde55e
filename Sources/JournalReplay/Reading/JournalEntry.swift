public import CephCore

/// An entry of a journal: what was done, and where it says so.
public struct JournalEntry: Hashable, Sendable {
    public let position: JournalPosition
    /// Where it begins in its object, in bytes.
    public let offset: UInt64
    /// What a ``JournalRecord`` is decoded from.
    public let payload: ArraySlice<UInt8>

    public init(position: JournalPosition, offset: UInt64, payload: ArraySlice<UInt8>) {
        (self.position, self.offset, self.payload) = (position, offset, payload)
    }

    /// - Throws: ``WireError`` for a payload that is no event.
    public func record() throws(WireError) -> JournalRecord {
        try Decoder.decode(payload, as: "journal entry") { (decoder) throws(WireError) in
            let record = try JournalRecord(from: &decoder)
            // Stock passes over what newer writers may add.
            _ = try decoder.raw(decoder.remaining)
            return record
        }
    }
}
