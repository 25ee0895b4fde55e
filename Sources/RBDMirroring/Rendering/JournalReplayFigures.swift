internal import Foundation

/// The figures of an image in journal mode, as stock tools show them after `replaying, `.
public struct JournalReplayFigures: Hashable, Sendable {
    /// A place in a journal.
    public struct Position: Hashable, Sendable {
        public var entry: UInt64
        public var object: UInt64
        public var tag: UInt64

        public init(entry: UInt64, object: UInt64, tag: UInt64) {
            self.entry = entry
            self.object = object
            self.tag = tag
        }
    }

    public var bytesPerSecond: Double
    public var entriesPerSecond: Double
    /// Journal entries of the source that are not applied here.
    public var entriesBehindPrimary: UInt64
    /// How far the replica is; nil before the first entry.
    public var replica: Position?
    /// How far the source is; nil before its first entry.
    public var primary: Position?
    /// Nil when nothing is behind, or nothing is moving.
    public var secondsUntilSynced: UInt64?

    public init(
        bytesPerSecond: Double = 0, entriesPerSecond: Double = 0, entriesBehindPrimary: UInt64 = 0,
        replica: Position? = nil, primary: Position? = nil, secondsUntilSynced: UInt64? = nil
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.entriesPerSecond = entriesPerSecond
        self.entriesBehindPrimary = entriesBehindPrimary
        self.replica = replica
        self.primary = primary
        self.secondsUntilSynced = secondsUntilSynced
    }

    /// The JSON text: compact, keys sorted.
    public var json: String {
        StockJSON.sorted([
            "bytes_per_second": .real(roundedToTwoPlaces(bytesPerSecond)),
            "entries_per_second": .real(roundedToTwoPlaces(entriesPerSecond)),
            "entries_behind_primary": .count(entriesBehindPrimary),
            "non_primary_position": Self.json(of: replica),
            "primary_position": Self.json(of: primary),
            "seconds_until_synced": secondsUntilSynced.map { .count($0) },
        ]).string
    }

    private static func json(of position: Position?) -> StockJSON {
        guard let position else { return .object([]) }
        return .sorted([
            "entry_tid": .count(position.entry), "object_number": .count(position.object), "tag_tid": .count(position.tag),
        ])
    }

    /// Reads the JSON text; nil for what is no such text.
    public init?(json: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(json.utf8)) else { return nil }
        self.init(
            bytesPerSecond: fields.bytes_per_second ?? 0, entriesPerSecond: fields.entries_per_second ?? 0,
            entriesBehindPrimary: fields.entries_behind_primary, replica: fields.non_primary_position?.position,
            primary: fields.primary_position?.position,
            // What stock prints while nothing moves is no time.
            secondsUntilSynced: fields.seconds_until_synced.flatMap { $0 < 1e12 ? UInt64(exactly: $0.rounded(.down)) : nil })
    }

    private struct Fields: Decodable {
        struct Place: Decodable {
            var entry_tid: UInt64?
            var object_number: UInt64?
            var tag_tid: UInt64?
            var position: Position? {
                guard let entry_tid, let object_number, let tag_tid else { return nil }
                return Position(entry: entry_tid, object: object_number, tag: tag_tid)
            }
        }
        var bytes_per_second: Double?
        var entries_per_second: Double?
        var entries_behind_primary: UInt64
        var non_primary_position: Place?
        var primary_position: Place?
        var seconds_until_synced: Double?
    }
}
