import CephCore
@testable import JournalReplay
import RBDImage
import TestSupport
import Testing

@Suite struct ClientTests {
    @Test func image() throws {
        let client = try JournalClient(encoded: Samples.c1)
        #expect(client.id == JournalClient.imageID && client.committed.newest == nil && client.state == .connected)
        #expect(try client.role() == .image(.init(tagClass: 0)))
        #expect(client.encoded == Samples.c1)
        #expect(JournalClient(id: "", data: JournalClientRole.image(.init(tagClass: 0)).encoded).encoded == Samples.c1)
    }

    @Test func positions() throws {
        let client = try JournalClient(encoded: Samples.c2)
        #expect(client.committed == JournalCommitPosition([
            JournalPosition(object: 1, tag: 2, entry: 1), JournalPosition(object: 0, tag: 2, entry: 0),
            JournalPosition(object: 3, tag: 1, entry: 27), JournalPosition(object: 2, tag: 1, entry: 26),
        ]))
        #expect(client.encoded == Samples.c2)
    }

    @Test func peers() throws {
        let client = try JournalClient(encoded: Samples.c3)
        let peer = "4f931f32-6cb3-4828-8c73-08637b21d9aa"
        #expect(client.id == peer && client.committed.positions.map(\.object) == [13, 12, 15, 14])
        let point = JournalSnapshot(".rbd-mirror.\(peer).1308cf05-e791-49ee-a552-bce760ac7cc2")
        #expect(try client.role() == .peer(.init(imageID: "1036c631957", state: .syncing, syncPoints: [.init(point)])))
        #expect(client.encoded == Samples.c3)
        #expect(try client.role()?.encoded == client.data)

        let replaying = try JournalClientRole(encoded: Samples.c4)
        #expect(replaying == .peer(.init(imageID: "103658b05a2d", syncedObjects: 8, snapshotIDs: [8: 4, 9: 5])))
        #expect(replaying.encoded == Samples.c4)
    }

    @Test func othersThanLibrbds() throws {
        #expect(try JournalClient(id: "EXPORT").role() == nil)
        #expect(throws: WireError.self) { try JournalClient(id: "x", data: [1, 2, 3]).role() }
        #expect(try JournalClientRole(encoded: hex("0201 06000000 09000000 aabb")) == .unknown(type: 9, body: [0xaa, 0xbb]))
    }

    @Test func tags() throws {
        let samples: [([UInt8], id: UInt64, JournalEpoch)] = [
            (Samples.t1, id: 0, .init(.local)),
            (Samples.t2, id: 2, .init(.local, after: .init(.local, isCommitted: true, tag: 1, entry: 29))),
            (Samples.t3, id: 3, .init(.orphan, after: .init(.local, isCommitted: true, tag: 1, entry: 3))),
            (Samples.t4, id: 4, .init(.local, after: .init(.orphan, isCommitted: true, tag: 3, entry: 1))),
        ]
        for (bytes, id, epoch) in samples {
            let tag = try JournalTag(encoded: bytes)
            #expect(tag.id == id && tag.tagClass == 0)
            #expect(try tag.epoch() == epoch)
            #expect(tag.encoded == bytes && epoch.encoded == tag.data)
        }
    }

    /// One position for each object that is written side by side, those of former sets and tags included.
    @Test func commitPositionsAdvance() {
        var committed = JournalCommitPosition()
        let entries: [(object: UInt64, tag: UInt64, entry: UInt64)] = [
            (0, 1, 0), (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 1, 4), (0, 2, 0), (5, 2, 1),
        ]
        for entry in entries {
            committed.advance(to: JournalPosition(object: entry.object, tag: entry.tag, entry: entry.entry), splayWidth: 4)
        }
        #expect(committed.positions.map(\.object) == [5, 0, 3, 2])
        #expect(committed.newest == JournalPosition(object: 5, tag: 2, entry: 1))
    }
}
