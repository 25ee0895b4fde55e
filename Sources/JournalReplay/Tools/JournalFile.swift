internal import FoundationEssentials

/// How entries are written to a file. Either is taken by an import of ours, the first one by stock's too.
public struct JournalFileFormat: Hashable, Sendable {
    private let name: String
    /// That of `rbd journal export`.
    public static let stock = JournalFileFormat(name: "stock")
    /// A JSON object in each line, which says what the entry is, too.
    public static let jsonLines = JournalFileFormat(name: "jsonLines")
}

/// The text of `rbd journal export`: a comment, then for each entry the length of a JSON object and the object; or the objects, each
/// in a line. Pure.
///
/// It keeps tags and events, not the numbers of entries: they are counted anew where it is imported.
enum JournalFile {
    struct Record: Hashable, Sendable {
        var tag: UInt64
        /// What a ``JournalRecord`` is decoded from.
        var payload: [UInt8]
    }

    static func head(_ journal: String) -> [UInt8] { Array("# journal_id: \(journal)\n".utf8) }

    /// - Parameter number: Counts the entries of the file, from 1.
    static func line(_ entry: JournalEntry, number: Int, _ format: JournalFileFormat = .stock) -> [UInt8] {
        // Stock knows no type that it does not know.
        let type = if case .unknown = entry.event { "-1" } else { "\(entry.event.type)" }
        let payload = Data(entry.payload).base64EncodedString()
        let place = entry.position
        if format == .jsonLines {
            let time = entry.timestamp.map { ",\"timestamp\":\($0.seconds).\(String($0.nanoseconds + 1_000_000_000).dropFirst())" } ?? ""
            return Array("""
                {"tag_id":\(place.tag),"entry_tid":\(place.entry),"object":\(place.object),"offset":\(entry.offset)\(time),\
                "type":\(type),"event":"\(entry.event.name)","entry":"\(payload)"}\n
                """.utf8)
        }
        let object = "{\"tag_id\":\(place.tag),\"commit_tid\":\(number),\"type\":\(type),\"entry\":\"\(payload)\"}"
        return Array("\(object.utf8.count) \(object)\n".utf8)
    }

    /// Reads the object of a record; nil for one that is none.
    static func record(_ object: ArraySlice<UInt8>) -> Record? {
        struct Object: Decodable {
            var tag_id: UInt64?
            var entry: String
        }
        guard let fields = try? JSONDecoder().decode(Object.self, from: Data(object)), let payload = Data(base64Encoded: fields.entry)
        else { return nil }
        return Record(tag: fields.tag_id ?? 0, payload: Array(payload))
    }
}

/// Takes records out of the bytes of a file as they come. Pure.
struct JournalFileParser {
    enum Step: Hashable {
        case record(JournalFile.Record)
        /// The object at this byte is no record; what follows it may be.
        case badRecord(at: UInt64)
        case needsMore
        /// What is there is no file of this kind.
        case damaged(at: UInt64)
    }

    private var bytes: [UInt8] = []
    private var index = 0
    /// Of `bytes` in the file.
    private var start: UInt64 = 0

    /// The largest entry that a journal can have, in base64.
    static let longest = 96 << 20

    mutating func add(_ more: some Collection<UInt8>) {
        bytes.removeFirst(index)
        start += UInt64(index)
        index = 0
        bytes += more
    }

    /// Whether nothing is left of what was added.
    var isAtEnd: Bool { bytes[index...].allSatisfy { $0 == UInt8(ascii: "\n") } || isInComment }

    private var isInComment: Bool { index < bytes.count && bytes[index] == UInt8(ascii: "#") }

    mutating func next() -> Step {
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") {
                index += 1
            } else if isInComment {
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) else { return .needsMore }
                index = end + 1
            } else {
                return record()
            }
        }
        return .needsMore
    }

    private mutating func line(at place: UInt64) -> Step {
        guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) else {
            return bytes.count - index <= Self.longest ? .needsMore : .damaged(at: place)
        }
        defer { index = end + 1 }
        return JournalFile.record(bytes[index..<end]).map { .record($0) } ?? .badRecord(at: place)
    }

    private mutating func record() -> Step {
        let place = start + UInt64(index)
        if bytes[index] == UInt8(ascii: "{") { return line(at: place) }
        let digits = bytes[index...].prefix(80).prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard digits.endIndex < bytes.count else { return digits.count < 80 ? .needsMore : .damaged(at: place) }
        guard bytes[digits.endIndex] == UInt8(ascii: " "), let length = Int(String(decoding: digits, as: UTF8.self)), length <= Self.longest
        else { return .damaged(at: place) }
        let first = digits.endIndex + 1
        guard first + length <= bytes.count else { return .needsMore }
        index = first + length
        return JournalFile.record(bytes[first..<index]).map { .record($0) } ?? .badRecord(at: place)
    }
}
