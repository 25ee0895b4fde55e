import CephCore
@testable import JournalReplay
import TestSupport
import Testing

@Suite struct MethodTests {
    @Test func inputs() {
        let calls: [(ClassCall, String, String)] = [
            (JournalMethod.create(.init(order: 12)), "create", "0c04ffffffffffffffff"),
            (JournalMethod.clientRegister("c", data: Array("d".utf8)), "client_register", "01000000630100000064"),
            (JournalMethod.client("").call, "get_client", "00000000"),
            (JournalMethod.clients(after: "", limit: 256).call, "client_list", "000000000001000000000000"),
            (JournalMethod.tagCreate(0, tagClass: nil, data: Array("t0".utf8)), "tag_create",
             "0000000000000000 ffffffffffffffff 02000000 7430"),
            (JournalMethod.tag(1).call, "get_tag", "0100000000000000"),
            (JournalMethod.tags(after: 0, limit: 256, client: "").call, "tag_list", "0000000000000000 0001000000000000 00000000 00"),
            (JournalMethod.tags(after: 0, limit: 256, client: "", tagClass: 0).call, "tag_list",
             "0000000000000000 0001000000000000 00000000 01 0000000000000000"),
            (JournalMethod.clientCommit("peer1", JournalCommitPosition([
                .init(object: 2, tag: 1, entry: 2), .init(object: 1, tag: 1, entry: 1), .init(object: 0, tag: 1, entry: 0),
            ])), "client_commit", """
                050000007065657231 01015e00000003000000
                010118000000 020000000000000001000000000000000200000000000000
                010118000000 010000000000000001000000000000000100000000000000
                010118000000 000000000000000001000000000000000000000000000000
                """),
            (JournalMethod.clientUpdate("peer2", state: .disconnected), "client_update_state", "05000000706565723201"),
            (JournalMethod.append(Array("0123456".utf8), limit: 10), "append", "0a000000000000000700000030313233343536"),
        ]
        for (call, method, input) in calls {
            #expect(call.className == "journal" && call.method == method)
            #expect(call.input == hex(input), "\(method)")
        }
    }

    @Test func replies() throws {
        #expect(try JournalMethod.dataPool().decode(hex("ffffffffffffffff")) == nil)
        #expect(try JournalMethod.dataPool().decode(hex("0700000000000000")) == 7)
        #expect(try JournalMethod.tag(1).decode(hex("010116000000 0100000000000000 0000000000000000 020000007431"))
            == JournalTag(id: 1, tagClass: 0, data: Array("t1".utf8)))
        #expect(try JournalMethod.clients(after: "", limit: 2).decode(hex("02000000") + Samples.c1 + Samples.c2).map(\.id) == ["", ""])
        let tags = JournalMethod.tags(after: 0, limit: 9, client: "")
        #expect(try tags.decode(hex("02000000") + Samples.t1 + Samples.t3).map(\.id) == [0, 3])
    }

    @Test func geometry() {
        let geometry = JournalGeometry(order: 12, splayWidth: 3)
        #expect(geometry.objects(ofSet: 4) == [12, 13, 14] && geometry.set(ofObject: 14) == 4 && geometry.lane(ofEntry: 14) == 2)
        #expect(geometry.objects(ofSet: .max).isEmpty && geometry.objects(ofSet: .max / 3).isEmpty)
        #expect(geometry.isValid && !JournalGeometry(order: 27).isValid && !JournalGeometry(splayWidth: 0).isValid)
    }
}
