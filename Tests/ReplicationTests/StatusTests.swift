import Foundation
import Replication
import Testing

@Suite struct StatusTests {
    let status = ReplicationStatus(
        role: .replica, state: .replaying, reason: .syncing, text: "copies point 7",
        progress: SyncProgress(
            objectsDone: 5, objectsTotal: 20, bytesDone: 9, bytesTotal: 36, bytesPerSecond: 4.5, secondsLeft: 6),
        lastSync: LastSync(bytes: 7, seconds: 1.5, finished: WallTime(secondsSince1970: 90)),
        lastPoint: WallTime(secondsSince1970: 80), sourcePoint: WallTime(secondsSince1970: 95), pendingPoints: 2,
        since: WallTime(secondsSince1970: 91))

    @Test func roundTripsAsJSON() throws {
        let data = try JSONEncoder().encode(status)
        #expect(try JSONDecoder().decode(ReplicationStatus.self, from: data) == status)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["reason"] as? String == "syncing")
        #expect(object["state"] as? String == "replaying")
        #expect(object["lastPoint"] as? Double == 80)
    }

    @Test func unknownCodesSurvive() throws {
        var strange = status
        strange.reason = ReasonCode("of-next-year")
        strange.state = .init(rawValue: "dreaming")
        let data = try JSONEncoder().encode(strange)
        #expect(try JSONDecoder().decode(ReplicationStatus.self, from: data) == strange)
    }

    @Test func lagIsTheAgeOfTheLastCompletePoint() {
        #expect(status.lag(at: WallTime(secondsSince1970: 100)) == 20)
        #expect(status.lag(at: WallTime(secondsSince1970: 70)) == 0)
        #expect(ReplicationStatus().lag() == nil)
    }

    @Test func progressAloneIsNoChangeInKind() {
        var other = status
        other.progress = nil
        other.since = WallTime(secondsSince1970: 99)
        #expect(!status.differsInKind(from: other))
        other.reason = .throttled
        #expect(status.differsInKind(from: other))
    }

    @Test(arguments: [(0, 0, 0.0), (5, 20, 0.25), (30, 20, 1.0)] as [(UInt64, UInt64, Double)])
    func fraction(done: UInt64, total: UInt64, expected: Double) {
        #expect(SyncProgress(objectsDone: done, objectsTotal: total).fraction == expected)
    }

    @Test func reportCountsAndFindsTheWorst() throws {
        let subject = ReplicationSubject(container: "p", namespace: "n", name: "i", id: "g")
        var other = status
        other.lastPoint = WallTime(secondsSince1970: 40)
        other.state = .error
        let report = Report(
            engine: "rbd-mirror", instance: "4", taken: WallTime(secondsSince1970: 100),
            entries: [.init(subject: subject, status: status), .init(subject: subject, status: other)],
            callouts: [.init(level: .warning, reason: .sourceUnreachable, text: "no answer")])
        #expect(report.stateCounts == [.replaying: 1, .error: 1])
        #expect(report.worstLag(at: report.taken) == 60)
        #expect(try JSONDecoder().decode(Report.self, from: JSONEncoder().encode(report)) == report)
        #expect("\(subject)" == "p/n/i")
    }
}
