internal import CephCore

/// What lies in a journal's objects, read one by one: also where the order of entries cannot be followed.
public struct JournalInspection: Hashable, Sendable {
    /// Entries that are whole, those behind the end of a tag included.
    public var entries = 0
    /// Of their payloads.
    public var bytes: UInt64 = 0
    /// By what the events are on disk.
    public var types: [UInt32: Int] = [:]
    /// By tag.
    public var tags: [UInt64: Int] = [:]
    /// Data objects that are there.
    public var objects = 0
    /// Entries behind the end of their tag: under way when the writer died, never acknowledged.
    public var strays = 0
    /// The first ones in the order they were met.
    public var damage: [JournalDamage] = []
    public var damages = 0

    /// More of them are counted only.
    public static let mostDamage = 1000

    mutating func add(_ new: JournalDamage) {
        damages += 1
        if damage.count < Self.mostDamage { damage.append(new) }
    }
}

extension Journal {
    /// Reads all entries there are, and says what is damaged or missing, where.
    ///
    /// Unlike `rbd journal inspect`, this reads the whole journal, needs no client of its own, and goes on behind damage.
    /// - Parameters:
    ///   - each: Called for each entry that can be read, in the order of the objects.
    ///   - progress: Called now and then, on no thread in particular.
    public func inspect(
        each: (@Sendable (JournalEntry) -> Void)? = nil, progress: (@Sendable (JournalToolProgress) -> Void)? = nil
    ) async throws -> JournalInspection {
        let header = try await header()
        var inspection = JournalInspection()
        var ends = TagEnds(geometry)
        var object = header.minimumSet &* geometry.width
        while geometry.set(ofObject: object) <= header.activeSet {
            try await inspect(object, &inspection, &ends, each)
            progress?(JournalToolProgress(entries: inspection.entries, bytes: inspection.bytes))
            let (next, overflows) = object.addingReportingOverflow(1)
            if overflows { break }
            object = next
        }
        inspection.strays = ends.strays
        for (tag, entry) in ends.tags {
            guard let last = header.loss(atEndOf: tag, entry: entry) else { continue }
            inspection.add(JournalDamage(
                .lostEnd, object: headerObject, offset: 0,
                detail: "tag \(tag) ends before entry \(entry), and entry \(last) was committed"))
        }
        return inspection
    }

    private func inspect(
        _ object: UInt64, _ inspection: inout JournalInspection, _ ends: inout TagEnds, _ each: (@Sendable (JournalEntry) -> Void)?
    ) async throws {
        guard let bytes = try await content(of: object) else { return }
        inspection.objects += 1
        var scanner = FrameScanner(bytes, at: 0)
        while true {
            switch scanner.next() {
            case .end: return
            case .damage(let kind, let offset):
                inspection.add(JournalDamage(kind, object: dataObject(object), offset: offset))
                guard scanner.skipToNextPreamble() else { return }
            case .frame(let frame, let offset):
                if !ends.add(frame) { inspection.add(JournalDamage(.missingEntry, object: dataObject(object), offset: offset)) }
                inspection.entries += 1
                inspection.bytes += UInt64(frame.payload.count)
                inspection.tags[frame.tag, default: 0] += 1
                do throws(JournalDamage) {
                    let entry = try JournalEntry(.init(frame: frame, object: object, offset: offset), in: self)
                    inspection.types[entry.event.type, default: 0] += 1
                    each?(entry)
                } catch { inspection.add(error) }
            }
        }
    }

    /// Nil for an object that is not there.
    private func content(of object: UInt64) async throws -> [UInt8]? {
        let chunk = 4 << 20
        var bytes: [UInt8] = []
        while true {
            let part: [UInt8]
            do throws(CephError) { part = try await dataPool.read(dataObject(object), at: UInt64(bytes.count), length: chunk) } catch {
                guard error.isNotFound else { throw error }
                return nil
            }
            bytes += part
            if part.count < chunk { return bytes }
        }
    }
}

/// Finds out where tags end, and what is missing before that, from entries that come object by object. Pure.
struct TagEnds {
    private let width: UInt64
    /// The entries of each lane of a tag: the next one, and how many.
    private var lanes: [UInt64: [UInt64: (next: UInt64, first: UInt64)]] = [:]

    init(_ geometry: JournalGeometry) { width = geometry.width }

    /// Adds an entry; returns whether none is missing before it in its lane.
    mutating func add(_ frame: JournalFrame) -> Bool {
        let lane = frame.entry % width
        let (next, _) = frame.entry.addingReportingOverflow(width)
        guard let known = lanes[frame.tag]?[lane] else {
            // What came before may be trimmed.
            lanes[frame.tag, default: [:]][lane] = (next, frame.entry)
            return true
        }
        // Some entries may be there twice.
        lanes[frame.tag]![lane]!.next = max(next, known.next)
        return frame.entry <= known.next
    }

    /// Each tag with the first entry that it does not have.
    var tags: [(tag: UInt64, end: UInt64)] {
        lanes.map { tag, lanes in
            let first = lanes.values.map(\.first).min() ?? 0
            // A lane without an entry ends at its first one.
            let ends = (0..<width).map { lane in lanes[lane]?.next ?? (first + (lane + width - first % width) % width) }
            return (tag, ends.min() ?? 0)
        }.sorted { $0.0 < $1.0 }.map { (tag: $0.0, end: $0.1) }
    }

    /// Entries behind the ends of their tags.
    var strays: Int {
        tags.reduce(0) { count, tag in
            lanes[tag.tag]!.reduce(count) { count, lane in
                // The lane's first entry behind the end.
                let first = tag.end &+ (lane.key &+ width &- tag.end % width) % width
                return count + (lane.value.next > first ? Int(clamping: (lane.value.next - first) / width) : 0)
            }
        }
    }
}
