import RBDMirroring
import Testing

@Suite struct AssignmentElectionTests {
    private typealias Holder = LeaderElection.Holder
    private let other = Holder(client: 8, cookie: "auto 1", address: "1.2.3.4:0/8", watches: true)

    private func started() -> LeaderElection {
        var election = LeaderElection(own: 4, timing: .init())
        #expect(election.deadline == nil)
        #expect(election.handle(.started, at: .zero) == [.tryLock])
        return election
    }

    private func leading() -> LeaderElection {
        var election = started()
        #expect(election.handle(.locked, at: .zero) == [.lead, .heartbeat])
        #expect(election.handle(.heartbeatSent, at: .zero) == [])
        #expect(election.isLeader && election.leader == 4)
        return election
    }

    private func following() -> LeaderElection {
        var election = started()
        #expect(election.handle(.refused(by: other), at: .zero) == [])
        #expect(election.handle(.heard(.heartbeat, from: 8), at: .zero) == [])
        #expect(!election.isLeader && election.leader == 8)
        return election
    }

    /// Ticks each second and answers every try with a refusal; says when the lock was tried and when it was to be broken.
    private func silence(_ election: inout LeaderElection, from: Int, by holder: LeaderElection.Holder) -> (tries: [Int], broken: Int?) {
        var tries: [Int] = []
        for second in from...(from + 60) {
            for output in election.handle(.tick, at: .seconds(second)) where output == .tryLock {
                tries.append(second)
                if election.handle(.refused(by: holder), at: .seconds(second)) == [.fence(holder)] { return (tries, second) }
            }
        }
        return (tries, nil)
    }

    @Test func aLeaderBeats() {
        var election = leading()
        #expect(election.deadline == .seconds(5))
        #expect(election.handle(.tick, at: .seconds(4)) == [])
        #expect(election.handle(.tick, at: .seconds(5)) == [.heartbeat])
        #expect(election.handle(.tick, at: .seconds(9)) == [], "one at a time")
        // A dead watcher held it up: the next is still due five seconds after it began.
        #expect(election.handle(.heartbeatSent, at: .seconds(9)) == [])
        #expect(election.deadline == .seconds(10))
    }

    @Test func aFollowerWaitsWhileItHears() {
        var election = following()
        for second in stride(from: 5, through: 100, by: 5) {
            #expect(election.handle(.tick, at: .seconds(second)) == [])
            #expect(election.handle(.heard(.heartbeat, from: 8), at: .seconds(second)) == [])
            #expect(election.deadline == .seconds(second + 10))
        }
    }

    @Test func aSilentLeaderIsFencedAfterThreeTries() {
        var election = following()
        let outcome = silence(&election, from: 1, by: other)
        #expect(outcome.tries == [10, 20, 30] && outcome.broken == 30)
        #expect(election.handle(.fenced(true), at: .seconds(31)) == [.tryLock])
        #expect(election.leader == nil)
        #expect(election.handle(.locked, at: .seconds(31)) == [.lead, .heartbeat])
    }

    @Test func aFailedFenceIsTriedAgain() {
        var election = following()
        _ = silence(&election, from: 1, by: other)
        #expect(election.handle(.fenced(false), at: .seconds(40)) == [])
        #expect(silence(&election, from: 41, by: other).broken == 50)
    }

    @Test func anOwnerWithoutAWatchIsFencedAtOnce() {
        var election = started()
        var gone = other
        gone.watches = false
        #expect(election.handle(.refused(by: gone), at: .zero) == [.fence(gone)])
        #expect(election.leader == nil)
    }

    @Test func aNewOwnerGetsItsOwnTries() {
        var election = following()
        let next = Holder(client: 9, cookie: "auto 7", address: "1.2.3.4:0/9", watches: true)
        for second in [10, 20] {
            #expect(election.handle(.tick, at: .seconds(second)) == [.tryLock])
            #expect(election.handle(.refused(by: other), at: .seconds(second)) == [])
        }
        #expect(silence(&election, from: 30, by: next).broken == 50)
    }

    @Test func aHeartbeatEndsTheSuspicion() {
        var election = following()
        for second in [10, 20] {
            _ = election.handle(.tick, at: .seconds(second))
            _ = election.handle(.refused(by: other), at: .seconds(second))
        }
        #expect(election.handle(.tick, at: .seconds(30)) == [.tryLock])
        // It comes while the lock is being tried.
        _ = election.handle(.heard(.heartbeat, from: 8), at: .seconds(30))
        #expect(election.handle(.refused(by: other), at: .seconds(30)) == [])
        #expect(silence(&election, from: 31, by: other).broken == 50)
    }

    @Test func aReleasedLockIsTriedAtOnce() {
        var election = following()
        #expect(election.handle(.heard(.released, from: 8), at: .seconds(2)) == [.tryLock])
        #expect(election.leader == nil)
        #expect(election.handle(.heard(.released, from: 8), at: .seconds(2)) == [], "it is being tried")
    }

    @Test func aFreeLockIsTriedAgainButNotForEver() {
        var election = started()
        #expect(election.handle(.refused(by: nil), at: .zero) == [.tryLock])
        #expect(election.handle(.refused(by: nil), at: .zero) == [])
        #expect(election.deadline == .seconds(5))
    }

    @Test func aTryWithoutOutcomeIsRepeated() {
        var election = started()
        #expect(election.handle(.attemptFailed, at: .seconds(3)) == [])
        #expect(election.handle(.tick, at: .seconds(13)) == [.tryLock])
    }

    @Test func twoLeadersCannotBe() {
        var election = leading()
        #expect(election.handle(.heard(.heartbeat, from: 8), at: .seconds(1)) == [.verifyLock])
        #expect(election.handle(.heard(.acquired, from: 8), at: .seconds(1)) == [.verifyLock])
        #expect(election.isLeader)
        #expect(election.handle(.lockLost, at: .seconds(1)) == [.stepDown])
        #expect(!election.isLeader && election.leader == nil)
        #expect(election.handle(.lockLost, at: .seconds(1)) == [])
        #expect(election.handle(.tick, at: .seconds(11)) == [.tryLock])
    }

    /// Without a watch no heartbeat is heard: the leader may be in perfect health.
    @Test func nobodyIsSuspectedWhileTheWatchIsBroken() {
        var election = following()
        _ = election.handle(.tick, at: .seconds(10))
        #expect(election.handle(.interrupted, at: .seconds(10)) == [])
        #expect(election.handle(.refused(by: other), at: .seconds(11)) == [])
        for second in 12..<29 { #expect(election.handle(.tick, at: .seconds(second)) == []) }
        #expect(election.handle(.resumed, at: .seconds(29)) == [])
        #expect(silence(&election, from: 29, by: other).tries == [39, 49, 59])
    }

    @Test func withoutAWatchContactIsLost() {
        var election = following()
        _ = election.handle(.interrupted, at: .seconds(4))
        #expect(election.deadline == .seconds(30))
        #expect(election.handle(.tick, at: .seconds(30)) == [.loseContact])
        #expect(election.handle(.tick, at: .seconds(40)) == [], "said once")
    }

    /// The process was stopped for a minute: it hears first what there is to hear.
    @Test func aLateTickIsNoSilence() {
        var election = following()
        #expect(election.handle(.tick, at: .seconds(60)) == [.tryLock])
        #expect(election.deadline == .seconds(65))
        var other = election
        #expect(election.handle(.tick, at: .seconds(65)) == [.loseContact])
        #expect(other.handle(.heard(.heartbeat, from: 8), at: .seconds(61)) == [])
        #expect(other.handle(.tick, at: .seconds(66)) == [])
    }

    @Test func aClusterThatDoesNotAnswerIsNoContact() {
        var election = following()
        #expect(election.handle(.tick, at: .seconds(10)) == [.tryLock])
        #expect(election.handle(.attemptFailed, at: .seconds(25)) == [])
        #expect(election.handle(.tick, at: .seconds(30)) == [.loseContact])
        var leader = leading()
        for second in stride(from: 5, to: 30, by: 5) {
            #expect(leader.handle(.tick, at: .seconds(second)) == [.heartbeat])
            _ = leader.handle(.heartbeatFailed, at: .seconds(second))
        }
        #expect(leader.handle(.tick, at: .seconds(30)) == [.loseContact, .heartbeat])
    }

    /// The watch stands and the lock's holder is silent: it is dead, and we are not cut off.
    @Test func aDeadLeaderIsNoLossOfContact() {
        var election = following()
        for second in 1...29 {
            for output in election.handle(.tick, at: .seconds(second)) {
                #expect(output == .tryLock)
                _ = election.handle(.refused(by: other), at: .seconds(second))
            }
        }
        #expect(election.handle(.tick, at: .seconds(30)) == [.tryLock])
    }

    @Test func lateAnswersAreHarmless() {
        var election = leading()
        for input in [.locked, .refused(by: other), .attemptFailed, .fenced(true), .fenced(false), .resumed] as [LeaderElection.Input] {
            #expect(election.handle(input, at: .seconds(1)) == [])
        }
        #expect(election.isLeader)
        #expect(election.handle(.stopped, at: .seconds(2)) == [])
        #expect(!election.isLeader && election.deadline == nil)
        for input in [.tick, .heard(.released, from: 8), .started, .locked] as [LeaderElection.Input] {
            #expect(election.handle(input, at: .seconds(100)) == [])
        }
    }
}
