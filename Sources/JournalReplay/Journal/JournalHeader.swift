public import CephCore

/// Everything a journal's header records, read in one moment.
public struct JournalHeader: Hashable, Sendable {
    public var geometry: JournalGeometry
    /// Objects of older sets are gone, or are about to be removed.
    public var minimumSet: UInt64
    /// The set that is written; there are no objects of later ones.
    public var activeSet: UInt64
    /// Of the tag that is made next.
    public var nextTag: UInt64
    public var nextTagClass: UInt64
    /// By id: the image's own comes first.
    public var clients: [JournalClient]
    /// Those that are still needed, ascending.
    public var tags: [JournalTag]

    /// Reads a header from its omap entries.
    ///
    /// - Throws: ``CephError`` `EBADMSG` naming the key that cannot be decoded, `ENOENT` when it is no journal's header.
    public init(of journal: String, entries: [(key: String, value: [UInt8])]) throws(CephError) {
        let subject = JournalNames.header(journal)
        func decode<T>(
            _ key: String, _ bytes: [UInt8], _ body: (inout Decoder) throws(WireError) -> T
        ) throws(CephError) -> T {
            do throws(WireError) { return try Decoder.decode(bytes, as: key, body) } catch {
                throw .undecodable(error, operation: "read journal header", subject: subject)
            }
        }
        var numbers: [String: [UInt8]] = [:]
        var clients: [JournalClient] = [], tags: [JournalTag] = []
        for (key, value) in entries {
            if key.hasPrefix("client_") {
                clients.append(try decode(key, value) { (d) throws(WireError) in try JournalClient(from: &d) })
            } else if key.hasPrefix("tag_") {
                tags.append(try decode(key, value) { (d) throws(WireError) in try JournalTag(from: &d) })
            } else {
                numbers[key] = value
            }
        }
        func number<T: FixedWidthInteger>(_ key: String, _ type: T.Type = T.self) throws(CephError) -> T {
            guard let bytes = numbers[key] else {
                throw CephError(code: 2, operation: "read journal header", subject: "\(subject): \(key)")
            }
            return try decode(key, bytes) { (d) throws(WireError) in try d.integer() }
        }
        let pool = try number("pool_id", Int64.self)
        geometry = JournalGeometry(
            order: try number("order"), splayWidth: try number("splay_width"), dataPool: pool < 0 ? nil : pool)
        guard geometry.isValid else {
            throw .undecodable(
                WireError(.invalidValue, at: 0, in: "order and splay width"), operation: "read journal header", subject: subject)
        }
        minimumSet = try number("minimum_set")
        activeSet = try number("active_set")
        // Beyond this, objects cannot be counted.
        guard minimumSet <= activeSet, activeSet < UInt64(Int64.max) / geometry.width else {
            throw .undecodable(
                WireError(.invalidValue, at: 0, in: "minimum and active set"), operation: "read journal header", subject: subject)
        }
        nextTag = try number("next_tag_tid")
        nextTagClass = try number("next_tag_class")
        self.clients = clients.sorted { $0.id < $1.id }
        self.tags = tags.sorted { $0.id < $1.id }
    }

    public func client(_ id: String) -> JournalClient? { clients.first { $0.id == id } }

    /// The newest set that every connected client has left behind; nothing may go while one of them has committed nothing.
    var trimmableSets: Range<UInt64> {
        var limit = activeSet
        for client in clients where client.state != .disconnected {
            guard let oldest = client.committed.positions.map(\.object).min() else { return minimumSet..<minimumSet }
            limit = min(limit, geometry.set(ofObject: oldest))
        }
        return minimumSet..<max(minimumSet, limit)
    }
}
