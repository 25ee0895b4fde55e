public import CephCore
public import RBDImage

/// An event as a journal's entry holds it: with the version it was written in, and when it was made.
///
/// Names have to be UTF-8: a record with one that is not is refused with ``CephCore/WireError/Reason/invalidText``, though stock reads
/// it.
public struct JournalRecord: Hashable, Sendable {
    /// What is written now.
    public static let currentVersion: UInt8 = 5

    public var event: JournalEvent
    /// When the event was made, by the primary's clock; zero for changes of roles. `nil` before version 4.
    public var timestamp: CephTime?
    /// Of the encoding. Before ``currentVersion`` some fields have no place: they are lost when it is encoded.
    public var version: UInt8

    public init(_ event: JournalEvent, at timestamp: CephTime?, version: UInt8 = Self.currentVersion) {
        (self.event, self.timestamp, self.version) = (event, timestamp, version)
    }

    /// Decodes the payload of an entry; what newer writers may add behind it is passed over.
    public init(payload: ArraySlice<UInt8>) throws(WireError) {
        self = try Decoder.decode(payload, as: "journal entry") { (decoder) throws(WireError) in
            let record = try JournalRecord(from: &decoder)
            _ = try decoder.raw(decoder.remaining)
            return record
        }
    }
}

extension JournalRecord: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: version, compat: 1) { encoder in
            encoder.u32(event.type)
            event.encodeBody(into: &encoder, version: version)
        }
        guard version >= 4 else { return }
        encoder.frame(version: 1, compat: 1) { (timestamp ?? .zero).encode(into: &$0) }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        (event, version) = try decoder.frame(supported: 1) { (decoder, version) throws(WireError) in
            (try JournalEvent(from: &decoder, version: version), version)
        }
        guard version >= 4 else { return }
        timestamp = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in try CephTime(from: &decoder) }
    }
}
