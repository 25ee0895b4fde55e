import CephCore
@testable import JournalReplay
import TestSupport
import Testing

@Suite struct HeaderTests {
    /// Of a journal that was just made.
    static let fresh: [(key: String, value: [UInt8])] = [
        ("active_set", hex("0000000000000000")), ("client_", Samples.c1), ("minimum_set", hex("0000000000000000")),
        ("next_tag_class", hex("0100000000000000")), ("next_tag_tid", hex("0100000000000000")), ("order", hex("18")),
        ("pool_id", hex("ffffffffffffffff")), ("splay_width", hex("04")), ("tag_0000000000000000", Samples.t1),
    ]

    private func header(_ changes: [String: [UInt8]?] = [:]) throws(CephError) -> JournalHeader {
        var entries = Self.fresh.filter { changes[$0.key] == nil }
        for case (let key, let value?) in changes { entries.append((key, value)) }
        return try JournalHeader(of: "1", entries: entries)
    }

    @Test func decodes() throws {
        let header = try header()
        #expect(header.geometry == JournalGeometry(order: 24, splayWidth: 4) && header.geometry.dataPool == nil)
        #expect(header.minimumSet == 0 && header.activeSet == 0 && header.nextTag == 1 && header.nextTagClass == 1)
        #expect(header.clients.map(\.id) == [""] && header.tags.map(\.id) == [0])
        #expect(try self.header(["pool_id": hex("0700000000000000")]).geometry.dataPool == 7)
    }

    @Test func damaged() {
        for (key, value) in Self.fresh {
            #expect(throws: CephError.self, "\(key)") { try header([key: Array(value.dropLast())]) }
        }
        for key in ["order", "splay_width", "minimum_set", "pool_id"] {
            #expect(throws: CephError.self, "\(key)") { try header([key: Optional<[UInt8]>.none]) }
        }
        #expect(throws: CephError.self) { try header(["order": hex("40")]) }
        #expect(throws: CephError.self) { try header(["splay_width": hex("00")]) }
        // Objects that cannot be counted, and sets that end before they begin.
        #expect(throws: CephError.self) { try header(["active_set": hex("ffffffffffffffff")]) }
        #expect(throws: CephError.self) { try header(["active_set": hex("ffffffffffffff3f")]) }
        #expect(throws: CephError.self) { try header(["minimum_set": hex("0100000000000000")]) }
    }

    @Test func whatMayBeTrimmed() throws {
        func client(_ id: String, _ objects: [UInt64], _ state: JournalClient.State = .connected) -> (String, [UInt8]) {
            let positions = objects.map { JournalPosition(object: $0, tag: 1, entry: $0) }
            return ("client_\(id)", JournalClient(id: id, committed: .init(positions), state: state).encoded)
        }
        func trimmable(_ clients: (String, [UInt8])...) throws -> Range<UInt64> {
            let sets: [String: [UInt8]] = ["active_set": hex("0900000000000000"), "minimum_set": hex("0200000000000000")]
            return try header(sets.merging(clients) { $1 }).trimmableSets
        }
        #expect(try trimmable(client("", [40])) == 2..<9)
        #expect(try trimmable(client("", [40]), client("peer", [33, 22, 31])) == 2..<5)
        #expect(try trimmable(client("", [40]), client("peer", [])) == 2..<2)
        #expect(try trimmable(client("", [40]), client("peer", [], .disconnected)) == 2..<9)
        #expect(try trimmable(client("", [1])) == 2..<2)
    }

    /// A tag's end that somebody else knows better.
    @Test func lostEnds() throws {
        func tag(after owner: JournalEpoch.Owner) -> [UInt8] {
            let epoch = JournalEpoch(.local, after: .init(owner, isCommitted: true, tag: 1, entry: 29))
            return JournalTag(id: 2, tagClass: 0, data: epoch.encoded).encoded
        }
        let after = try header(["tag_0000000000000002": tag(after: .local)])
        #expect(after.loss(atEndOf: 1, entry: 30) == nil && after.loss(atEndOf: 1, entry: 29) == 29)
        #expect(after.loss(atEndOf: 3, entry: 0) == nil)
        #expect(try header(["tag_0000000000000002": tag(after: .orphan)]).loss(atEndOf: 1, entry: 3) == nil)
        // Committed up to tag 2, entry 1.
        let committed = try header(["client_": Samples.c2])
        #expect(committed.loss(atEndOf: 2, entry: 1) == 1 && committed.loss(atEndOf: 2, entry: 2) == nil)
        #expect(committed.loss(atEndOf: 1, entry: 28) == nil)
    }
}
