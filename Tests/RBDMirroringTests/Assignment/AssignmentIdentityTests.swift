import RBDMirroring
import Testing

@Suite struct AssignmentIdentityTests {
    private let own = DaemonIdentity(
        bootID: "b2f5-11", pidNamespace: "pid:[4026531836]", processID: 4711, startTime: 99, daemon: "site b=1 %")

    private func changed(_ change: (inout DaemonIdentity) -> Void) -> DaemonIdentity {
        var identity = own
        change(&identity)
        return identity
    }

    @Test func theTextComesBack() {
        #expect(DaemonIdentity(own.description) == own)
        #expect(own.description.hasPrefix("ceph-mirroring/1 boot=b2f5-11 "))
        #expect(DaemonIdentity(own.description + " later=field") == own)
    }

    @Test(arguments: [
        "", "internal", "ceph-mirroring/1", "ceph-mirroring/2 boot=a pidns=b pid=1 start=1 daemon=d",
        "ceph-mirroring/1 boot=a pidns=b pid=x start=1 daemon=d", "ceph-mirroring/1 boot=a pidns=b pid=0 start=1 daemon=d",
        "ceph-mirroring/1 boot=a pidns=b pid=99999999999 start=1 daemon=d", "ceph-mirroring/1 boot=a pidns=b pid=1 start=-1 daemon=d",
        "ceph-mirroring/1 boot=a pidns=b pid=1 start=1 daemon=%zz", "ceph-mirroring/1 boot=a pidns=b pid=1 start=1",
        "ceph-mirroring/1 boot pidns=b pid=1 start=1 daemon=d",
    ])
    func otherTextsAreNone(_ text: String) { #expect(DaemonIdentity(text) == nil) }

    @Test func onlyAGoneProcessOfTheSameDaemonHereIsAPredecessor() {
        let successor = changed { $0.processID = 5000 }
        let gone: (Int32) -> UInt64? = { _ in nil }
        #expect(own.isDeadPredecessor(of: successor, startTime: gone))
        // The id went to another process.
        #expect(own.isDeadPredecessor(of: successor) { $0 == 4711 ? 100 : nil })
        #expect(!own.isDeadPredecessor(of: successor) { $0 == 4711 ? 99 : nil }, "it lives")
        #expect(!changed { $0.bootID = "other" }.isDeadPredecessor(of: successor, startTime: gone), "another host")
        #expect(!changed { $0.pidNamespace = "other" }.isDeadPredecessor(of: successor, startTime: gone), "another container")
        #expect(!changed { $0.daemon = "other" }.isDeadPredecessor(of: successor, startTime: gone), "another daemon")
    }

    private func stat(_ name: String, state: String = "S", threads: Int = 4) -> String {
        "4711 (\(name)) \(state) 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 \(threads) 18 987654 20 21"
    }

    @Test(arguments: ["rbd-mirror", "a b", ") (", "x) S 1 2 (y"])
    func theStartTimeIsFoundBehindAnyName(_ name: String) {
        #expect(DaemonIdentity.startTime(inStat: stat(name)) == 987654)
    }

    @Test func anEndedProcessHasNone() {
        #expect(DaemonIdentity.startTime(inStat: stat("d", state: "Z", threads: 1)) == nil)
        #expect(DaemonIdentity.startTime(inStat: stat("d", state: "Z", threads: 3)) == 987654, "only its main thread has ended")
        for text in ["", "4711", "4711 (d", "4711 (d) S 1 2"] { #expect(DaemonIdentity.startTime(inStat: text) == nil) }
    }

    @Test func thisProcessIsItself() throws {
        let identity = DaemonIdentity.current(daemon: "a")
        #expect(identity == .current(daemon: "a"))
        #expect(identity.startTime > 0 && !identity.bootID.isEmpty && identity.pidNamespace.hasPrefix("pid:["))
        #expect(DaemonIdentity(identity.description) == identity)
    }
}
