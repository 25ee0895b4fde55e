import CephCore
@testable import JournalReplay
import TestSupport
import Testing

@Suite struct ArchiveScannerTests {
    private static let identity = ArchiveIdentity(fsid: "f", pool: 3, namespace: "n", image: "abc")
    private static let tag = JournalTag(id: 4, tagClass: 0, data: JournalEpoch(.local).encoded)
    private static let records: [ArchiveRecord] = [
        .tag(tag), .entry(.init(object: 1, tag: 4, entry: 0), payload: [1, 2, 3]), .entry(.init(object: 2, tag: 4, entry: 1), payload: []),
    ]
    private static let segment = identity.encoded + records.flatMap(\.encoded)

    private static func read(_ bytes: [UInt8], in parts: Int = .max) -> (steps: [ArchiveScanner.Step], scanner: ArchiveScanner) {
        var scanner = ArchiveScanner()
        var (rest, steps): (ArraySlice<UInt8>, [ArchiveScanner.Step]) = (bytes[...], [])
        while true {
            let step = scanner.next()
            guard step == .needsMore else {
                steps.append(step)
                if case .damaged = step { return (steps, scanner) }
                continue
            }
            if rest.isEmpty { return (steps, scanner) }
            scanner.add(rest.prefix(parts))
            rest = rest.dropFirst(parts)
        }
    }

    @Test(arguments: [1, 7, Int.max]) func inParts(_ parts: Int) {
        let (steps, scanner) = Self.read(Self.segment, in: parts)
        #expect(steps == [.identity(Self.identity)] + Self.records.map { .record($0) })
        #expect(scanner.isAtEnd && scanner.offset == UInt64(Self.segment.count))
    }

    /// A segment that a crash has torn is whole up to the last record, wherever it ends.
    @Test func torn() {
        let ends = [0, Self.identity.encoded.count] + Self.records.indices.map { index in
            Self.identity.encoded.count + Self.records[...index].reduce(0) { $0 + $1.encoded.count }
        }
        for count in 0..<Self.segment.count {
            let (steps, scanner) = Self.read(Array(Self.segment.prefix(count)))
            #expect(scanner.offset == UInt64(ends.last { $0 <= count }!), "\(count)")
            #expect(!steps.contains { if case .damaged = $0 { true } else { false } })
        }
    }

    /// Any byte that is not as it was written is seen.
    @Test func damaged() {
        for index in Self.segment.indices {
            var bytes = Self.segment
            bytes[index] ^= 0x41
            let (steps, scanner) = Self.read(bytes)
            let isSeen = steps.contains { if case .damaged = $0 { true } else { false } } || !scanner.isAtEnd
            #expect(isSeen, "byte \(index)")
        }
    }

    @Test func gaps() throws {
        func entry(_ tag: UInt64, _ entry: UInt64) -> ArchiveRecord { .entry(.init(object: 0, tag: tag, entry: entry), payload: []) }
        func tag(_ id: UInt64, after before: UInt64, _ entry: UInt64) -> ArchiveRecord {
            .tag(JournalTag(
                id: id, tagClass: 0, data: JournalEpoch(.local, after: .init(.local, isCommitted: true, tag: before, entry: entry)).encoded))
        }
        func fails(_ records: [ArchiveRecord]) -> Bool {
            var order = ArchiveOrder()
            do throws(ArchiveOrder.Gap) { for record in records { try order.add(record) } } catch { return true }
            return false
        }
        #expect(!fails([tag(4, after: 3, 9), entry(4, 7), entry(4, 8), tag(6, after: 4, 8), entry(6, 0), tag(6, after: 4, 8), entry(6, 1)]))
        #expect(fails([entry(4, 7), entry(4, 9)]))
        // Without its tag nobody knows what a tag's first entry follows on.
        #expect(fails([entry(4, 7), entry(6, 0)]))
        #expect(fails([entry(4, 7), tag(6, after: 4, 7), entry(6, 1)]))
        // The end of the tag before is missing.
        #expect(fails([entry(4, 7), tag(6, after: 4, 9)]))
        // A whole tag is.
        #expect(fails([entry(4, 7), tag(6, after: 5, 0)]))
        #expect(fails([entry(6, 0), tag(4, after: 3, 0)]))
    }
}
