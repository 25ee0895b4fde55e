import CephCore
@testable import JournalReplay
import RBDImage
import TestSupport
import Testing

@Suite struct EventTests {
    static let samples: [(frame: [UInt8], event: JournalEvent)] = [
        (Samples.g1, .write(.init(offset: 4096, data: ArraySlice("hello journal!!!".utf8)))), (Samples.g2, .flush),
        (Samples.g3, .operation(id: 1, .snapshotCreate(.init("s1")))), (Samples.g4, .operationFinish(.init(id: 1))),
        (Samples.g5, .operation(id: 7, .resize(to: 100_663_296))),
        (Samples.g6, .discard(.init(offset: 2_097_152, length: 4096))),
        (Samples.g7, .discard(.init(offset: 131_072, length: 131_072, granularity: 65536))),
        (Samples.g8, .operation(id: 4, .snapshotRename(.init(id: 5, from: "s1", to: "s2")))),
        (Samples.g9, .operation(id: 2, .snapshotProtect(.init("s1")))), (Samples.g10, .operation(id: 9, .snapshotRollBack(.init("s2")))),
        (Samples.g11, .operation(id: 12, .snapshotRemove(.init("s2")))), (Samples.g12, .operation(id: 8, .snapshotLimit(10))),
        (Samples.g13, .operation(id: 1, .rename(to: "img2r"))),
        (Samples.g14, .operation(id: 13, .updateFeatures([.objectMap, .fastDiff], enabled: true))),
        (Samples.g15, .operation(id: 5, .metadataSet(key: "k1", value: Array("v1".utf8)))),
        (Samples.g16, .operation(id: 6, .metadataRemove(key: "k1"))),
        (Samples.g17, .roleChange), (Samples.g18, .operation(id: 1, .flatten)),
    ]

    @Test(arguments: samples) func golden(_ sample: (frame: [UInt8], event: JournalEvent)) throws {
        var scanner = FrameScanner(sample.frame, at: 0)
        guard case .frame(let frame, 0) = scanner.next() else { throw Unexpected() }
        #expect(scanner.next() == .end)
        #expect(frame.encoded == sample.frame)
        let record = try JournalRecord(encoded: Array(frame.payload))
        #expect(record.event == sample.event)
        #expect(record.version == 5)
        #expect(record.encoded == Array(frame.payload))
    }

    /// What each version has no place for takes the value that its readers assume.
    @Test(arguments: 1...5 as ClosedRange<UInt8>) func versions(_ version: UInt8) throws {
        let group = SnapshotNamespace.group(GroupSnapshot(pool: 3, group: "g", snapshot: "s"))
        let events: [(JournalEvent, seen: JournalEvent)] = [
            (.discard(.init(offset: 1, length: 2, granularity: 4096)),
             seen: .discard(.init(offset: 1, length: 2, granularity: version >= 5 ? 4096 : version == 4 ? .max : 0))),
            (.operation(id: 1, .snapshotCreate(.init("s", group))),
             seen: .operation(id: 1, .snapshotCreate(.init("s", version >= 3 ? group : .user)))),
            (.operation(id: 1, .snapshotRemove(.init("s", group))),
             seen: .operation(id: 1, .snapshotRemove(.init("s", version >= 4 ? group : .user)))),
            (.operation(id: 1, .snapshotRename(.init(id: 3, from: "a", to: "b"))),
             seen: .operation(id: 1, .snapshotRename(.init(id: 3, from: version >= 2 ? "a" : "", to: "b")))),
            (.writeSame(.init(offset: 0, length: 8, pattern: [1, 2])), seen: .writeSame(.init(offset: 0, length: 8, pattern: [1, 2]))),
            (.compareAndWrite(.init(offset: 0, expected: [1], data: [2])),
             seen: .compareAndWrite(.init(offset: 0, expected: [1], data: [2]))),
            (.operation(id: 2, .snapshotUnprotect(.init("s"))), seen: .operation(id: 2, .snapshotUnprotect(.init("s")))),
            (.operation(id: 2, .snapshotLimit(nil)), seen: .operation(id: 2, .snapshotLimit(nil))),
            (.unknown(type: 77, body: [9, 9]), seen: .unknown(type: 77, body: [9, 9])),
        ]
        let time = CephTime(seconds: 5, nanoseconds: 6)
        for (event, seen) in events {
            let bytes = JournalRecord(event, at: time, version: version).encoded
            let record = try JournalRecord(encoded: bytes)
            #expect(record.event == seen)
            #expect(record.timestamp == (version >= 4 ? time : nil))
            #expect(record.encoded == bytes)
        }
    }

    /// A newer writer may say more; what it adds is passed over.
    @Test func newerVersions() throws {
        let record = try JournalRecord(encoded: hex("0901 06000000 02000000 ffff | 0201 0a000000 05000000 06000000 eeee"))
        #expect(record.event == .flush && record.version == 9 && record.timestamp == CephTime(seconds: 5, nanoseconds: 6))
        #expect(throws: WireError.self) { try JournalRecord(encoded: hex("0902 04000000 02000000 | 0101 08000000 0500000006000000")) }
    }

    @Test func rangesEndSomewhere() {
        #expect(JournalEvent.Discard(offset: 8, length: 8).range == 8..<16)
        #expect(JournalEvent.Discard(offset: .max - 1, length: 8).range == .max - 1 ..< .max)
    }
}

struct Unexpected: Error {}
