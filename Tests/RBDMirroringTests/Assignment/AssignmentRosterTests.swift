import RBDMirroring
import Testing

@Suite struct AssignmentRosterTests {
    private func roster(_ registered: Set<String> = []) -> InstanceRoster {
        InstanceRoster(own: "1", registered: registered, timing: .init(), at: .zero)
    }

    @Test func silenceIsDeath() {
        var roster = roster()
        #expect(roster.heard(["1", "2", "3"], registered: ["1", "2", "3"], at: .zero) == ["2", "3"])
        for second in [10, 20] { #expect(roster.heard(["2"], registered: ["1", "2", "3"], at: .seconds(second)) == []) }
        #expect(roster.dead(at: .seconds(29)) == [])
        #expect(roster.dead(at: .seconds(30)) == ["3"])
        #expect(roster.dead(at: .seconds(90)) == ["2", "3"], "never the leader itself")
        roster.removed("3")
        roster.removed("1")
        #expect(roster.live == ["1", "2"])
        #expect(roster.heard(["3"], registered: ["3"], at: .seconds(25)) == ["3"])
    }

    @Test func thoseOfAnEarlierLeaderHaveAsLong() {
        var roster = roster(["1", "2", "3"])
        #expect(roster.live == ["1"] && roster.awaited == ["2", "3"])
        #expect(roster.heard(["2"], registered: ["1", "2", "3"], at: .seconds(5)) == ["2"])
        #expect(roster.awaited == ["3"])
        #expect(roster.dead(at: .seconds(29)) == [] && roster.dead(at: .seconds(30)) == ["3"])
    }

    @Test func aMereWatcherGetsNothing() {
        var roster = roster()
        #expect(roster.heard(["1", "2"], registered: ["1"], at: .zero) == [])
        #expect(roster.live == ["1"] && roster.dead(at: .seconds(60)) == [])
        #expect(roster.heard(["1", "2"], registered: ["1", "2"], at: .seconds(5)) == ["2"])
    }

    @Test func aRegisteredDaemonThatNeverAnswersDies() {
        var roster = roster()
        roster.found(["1", "2"], at: .seconds(10))
        #expect(roster.awaited == ["2"])
        roster.found(["1", "2"], at: .seconds(20))
        #expect(roster.dead(at: .seconds(39)) == [] && roster.dead(at: .seconds(40)) == ["2"])
    }

    @Test func nobodyAnswersWhatWasNotSent() {
        var roster = roster(["2"])
        _ = roster.heard(["1"], registered: ["1", "2"], at: .seconds(10))
        // Then the leader, or the cluster, was held up for half a minute.
        _ = roster.heard(["1"], registered: ["1", "2"], at: .seconds(45))
        #expect(roster.dead(at: .seconds(59)) == [] && roster.dead(at: .seconds(60)) == ["2"])
    }
}

@Suite struct AssignmentConfigurationTests {
    @Test func stocksDefaults() {
        let configuration = CooperationConfiguration { _ in nil }
        #expect(configuration == CooperationConfiguration())
        #expect(configuration.timing.leaderSilence == .seconds(10) && configuration.timing.daemonSilence == .seconds(30))
        #expect(configuration.concurrentSyncs == 5 && configuration.assignment.spread == .even)
        #expect(configuration.assignment.migrationThrottle == .seconds(300))
    }

    @Test func everyOptionCounts() {
        let options = [
            "rbd_mirror_leader_heartbeat_interval": "2", "rbd_mirror_leader_max_missed_heartbeats": "4",
            "rbd_mirror_leader_max_acquire_attempts_before_break": "6", "rbd_mirror_image_policy_type": "none",
            "rbd_mirror_image_policy_migration_throttle": "7", "rbd_mirror_image_policy_update_throttle_interval": "1.500000",
            "rbd_mirror_image_policy_rebalance_timeout": "9.0", "rbd_mirror_concurrent_image_syncs": "3", "rbd_blocklist_expire_seconds": "11",
        ]
        let expected = CooperationConfiguration(
            timing: .init(heartbeatInterval: .seconds(2), maxMissedHeartbeats: 4, maxAcquireAttemptsBeforeBreak: 6),
            assignment: .init(
                spread: .leaderOnly, migrationThrottle: .seconds(7), retryInterval: .milliseconds(1500), rebalanceTimeout: .seconds(9)),
            concurrentSyncs: 3, fenceDuration: .seconds(11))
        #expect(CooperationConfiguration { options[$0] } == expected)
    }

    @Test(arguments: ["", "x", "-1", "nan", "inf", "1e300"])
    func whatMakesNoSenseIsTheDefault(_ value: String) {
        #expect(CooperationConfiguration { _ in value } == CooperationConfiguration())
    }

    @Test func zeroMeansWhatItMeansToStock() {
        let configuration = CooperationConfiguration { _ in "0" }
        #expect(configuration.concurrentSyncs == Int.max, "no limit")
        #expect(configuration.fenceDuration == .seconds(3600), "the cluster's default")
        #expect(configuration.timing == ElectionTiming() && configuration.assignment.migrationThrottle == .zero)
    }
}
