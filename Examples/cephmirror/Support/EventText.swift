import Foundation
import JournalReplay
import RBDImage

/// What an entry says, as text and as JSON.
struct EntryRecord: Encodable {
    var tag: UInt64
    var entry: UInt64
    var object: UInt64
    var offset: UInt64
    var timestamp: Double?
    var event: String
    var operation: UInt64?
    var fields: [String: Field] = [:]

    enum Field: Encodable, CustomStringConvertible {
        case number(UInt64), signed(Int64), text(String), flag(Bool)

        func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let value): try container.encode(value)
            case .signed(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .flag(let value): try container.encode(value)
            }
        }

        var description: String {
            switch self {
            case .number(let value): "\(value)"
            case .signed(let value): "\(value)"
            case .text(let value): "\"\(value)\""
            case .flag(let value): "\(value)"
            }
        }
    }

    init(_ entry: JournalEntry) {
        (tag, self.entry, object, offset) = (entry.position.tag, entry.position.entry, entry.position.object, entry.offset)
        timestamp = entry.timestamp.map { Double($0.seconds) + Double($0.nanoseconds) / 1e9 }
        event = entry.event.name
        fill(entry.event)
    }

    private mutating func fill(_ event: JournalEvent) {
        func data(_ range: Range<UInt64>) -> [String: Field] { ["at": .number(range.lowerBound), "length": .number(UInt64(range.count))] }
        switch event {
        case .write(let write): fields = data(write.range)
        case .discard(let discard):
            fields = data(discard.range)
            fields["granularity"] = .number(UInt64(discard.granularity))
        case .writeSame(let write):
            fields = data(write.range)
            fields["pattern_length"] = .number(UInt64(write.pattern.count))
        case .compareAndWrite(let write): fields = data(write.range)
        case .operation(let id, let operation):
            self.operation = id
            fill(operation)
        case .operationFinish(let finish):
            operation = finish.id
            fields = ["result": .signed(Int64(finish.result))]
        case .flush, .roleChange, .unknown: break
        }
    }

    private mutating func fill(_ operation: JournalEvent.Operation) {
        switch operation {
        case .snapshotCreate(let snapshot), .snapshotRemove(let snapshot), .snapshotProtect(let snapshot),
            .snapshotUnprotect(let snapshot), .snapshotRollBack(let snapshot): fields = ["snapshot": .text(snapshot.name)]
        case .snapshotRename(let rename): fields = ["id": .number(rename.id), "from": .text(rename.from), "to": .text(rename.to)]
        case .rename(let name): fields = ["to": .text(name)]
        case .resize(let size): fields = ["size": .number(size)]
        case .flatten: break
        case .snapshotLimit(let limit): fields = limit.map { ["limit": .number($0)] } ?? [:]
        case .updateFeatures(let features, let isEnabled): fields = ["features": .text("\(features)"), "enabled": .flag(isEnabled)]
        // Values may be secrets.
        case .metadataSet(let key, let value): fields = ["key": .text(key), "value_length": .number(UInt64(value.count))]
        case .metadataRemove(let key): fields = ["key": .text(key)]
        }
    }

    var line: String {
        let time = timestamp.map { $0 > 0 ? Self.time($0) : "-" } ?? "-"
        let details = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(tag):\(entry) \(time) \(event)" + (operation.map { " #\($0)" } ?? "") + details
    }

    static func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
    }
}
