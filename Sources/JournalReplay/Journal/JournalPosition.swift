public import CephCore

/// Where an entry is: its place in the order of all entries, and the object it was read from.
public struct JournalPosition: Hashable, Sendable {
    /// Number of the data object.
    public var object: UInt64
    /// The lock epoch the entry belongs to.
    public var tag: UInt64
    /// Counts from 0 within the tag.
    public var entry: UInt64

    public init(object: UInt64, tag: UInt64, entry: UInt64) { (self.object, self.tag, self.entry) = (object, tag, entry) }

    /// Whether it comes before another one in the order of entries.
    public func precedes(_ other: JournalPosition) -> Bool { (tag, entry) < (other.tag, other.entry) }
}

/// How far a client of a journal has come: newest first, one position at most for each object that is written side by side.
///
/// The first one tells how far that is, the others where to go on reading and what may be trimmed.
public struct JournalCommitPosition: Hashable, Sendable {
    public var positions: [JournalPosition]

    public init(_ positions: [JournalPosition] = []) { self.positions = positions }

    /// The last entry that is done with; nil at the beginning.
    public var newest: JournalPosition? { positions.first }

    /// Goes on to the entry that follows.
    ///
    /// - Parameter splayWidth: Of the journal, 1 or more.
    public mutating func advance(to position: JournalPosition, splayWidth: UInt64) {
        let lane = position.object % splayWidth
        positions.removeAll { $0.object % splayWidth == lane }
        positions.insert(position, at: 0)
    }
}

extension JournalPosition: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { encoder in
            encoder.u64(object)
            encoder.u64(tag)
            encoder.u64(entry)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in
            JournalPosition(object: try decoder.u64(), tag: try decoder.u64(), entry: try decoder.u64())
        }
    }
}

extension JournalCommitPosition: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { $0.list(positions) { $1.encode(into: &$0) } }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in
            JournalCommitPosition(try decoder.list(elementsOfAtLeast: 6) { (d) throws(WireError) in try JournalPosition(from: &d) })
        }
    }
}
