import Foundation
import RBDImage
import RBDMirroring
import Replication
import Testing

@Suite struct FiguresTests {
    static let idle = #"{"bytes_per_second":1667481.6,"bytes_per_snapshot":16674816.0,"last_snapshot_bytes":16674816,"last_snapshot_sync_seconds":0,"local_snapshot_timestamp":1795251362,"remote_snapshot_timestamp":1795251362,"replay_state":"idle"}"#
    static let journal = #"{"bytes_per_second":35.0,"entries_behind_primary":0,"entries_per_second":0.4,"non_primary_position":{"entry_tid":3,"object_number":3,"tag_tid":3},"primary_position":{"entry_tid":3,"object_number":3,"tag_tid":3}}"#

    @Test func idleSnapshotFiguresToTheLetter() {
        let figures = SnapshotReplayFigures(
            bytesPerSecond: 1667481.6, bytesPerSnapshot: 16674816, lastSnapshotBytes: 16674816,
            localTimestamp: 1795251362, remoteTimestamp: 1795251362)
        #expect(figures.json == Self.idle)
        #expect(SnapshotReplayFigures(json: Self.idle) == figures)
    }

    @Test func syncingSnapshotFigures() {
        var figures = SnapshotReplayFigures(
            bytesPerSecond: 100.006, bytesPerSnapshot: 1000, remoteTimestamp: 9, syncing: .init(timestamp: 9, percent: 42))
        figures.estimate(pendingPoints: 3)
        #expect(figures.json == #"{"bytes_per_second":100.01,"bytes_per_snapshot":1000.0,"last_snapshot_bytes":0,"last_snapshot_sync_seconds":0,"remote_snapshot_timestamp":9,"replay_state":"syncing","seconds_until_synced":29,"syncing_percent":42,"syncing_snapshot_timestamp":9}"#)
        #expect(SnapshotReplayFigures(json: figures.json)?.syncing == .init(timestamp: 9, percent: 42))
        figures.estimate(pendingPoints: 0)
        #expect(figures.secondsUntilSynced == nil)
        figures.bytesPerSecond = 0
        figures.estimate(pendingPoints: 3)
        #expect(figures.secondsUntilSynced == nil)
    }

    @Test func journalFiguresToTheLetter() {
        let place = JournalReplayFigures.Position(entry: 3, object: 3, tag: 3)
        let figures = JournalReplayFigures(bytesPerSecond: 35, entriesPerSecond: 0.4, replica: place, primary: place)
        #expect(figures.json == Self.journal)
        #expect(JournalReplayFigures(json: Self.journal) == figures)
    }

    @Test func journalFiguresOfAnEmptyJournal() {
        let text = #"{"bytes_per_second":0.0,"entries_behind_primary":7,"entries_per_second":0.0,"non_primary_position":{},"primary_position":{},"seconds_until_synced":648518346341351424}"#
        let figures = JournalReplayFigures(json: text)
        #expect(figures == JournalReplayFigures(entriesBehindPrimary: 7))
    }

    @Test(arguments: ["", "{", "[]", "7", #"{"replay_state":7}"#, #"{"replay_state":"idle","bytes_per_second":nan}"#,
                      #"{"replay_state":"idle","remote_snapshot_timestamp":-1}"#, String(repeating: "[", count: 5000)])
    func whatIsNoFiguresIsNone(text: String) {
        #expect(SnapshotReplayFigures(json: text) == nil)
        #expect(JournalReplayFigures(json: text) == nil)
    }

    @Test func figuresOfOtherReleasesAreRead() {
        let figures = SnapshotReplayFigures(json: #"{"replay_state":"idle","remote_snapshot_timestamp":5,"brand_new":{}}"#)
        #expect(figures == SnapshotReplayFigures(remoteTimestamp: 5))
    }

    @Test(arguments: [
        (0, "0.0"), (35, "35.0"), (0.4, "0.4"), (1667481.6, "1667481.6"), (0.1, "0.1"), (123.456, "123.46"),
        (1e15, "1000000000000000.0"), (1e17, "1.0e+17"), (.nan, "0.0"), (.infinity, "0.0"),
    ] as [(Double, String)])
    func numbers(value: Double, expected: String) {
        let json = SnapshotReplayFigures(bytesPerSecond: value).json
        #expect(json.hasPrefix(#"{"bytes_per_second":\#(expected),"#))
    }
}

@Suite struct StockStatusTests {
    /// Reason and state of ours, and what stock says.
    static let phrases: [(ReplicationStatus.State, ReasonCode, MirrorSiteStatus.State, String)] = [
        (.starting, .starting, .startingReplay, "starting replay"),
        (.stopping, .stopping, .stoppingReplay, "stopping replay"),
        (.stopped, .localPrimary, .stopped, "local image is primary"),
        (.stopped, .stoppedByOperator, .stopped, "stopped"),
        (.stopped, .forcePromoted, .stopped, "force promoted"),
        (.stopped, .forcePromoting, .stopped, "orphan (force promoting)"),
        (.stopped, .resyncRequested, .stopped, "resync requested"),
        (.stopped, .remoteRemoved, .stopped, "remote image no longer exists"),
        (.unknown, .remoteNotPrimary, .unknown, "remote image is not primary"),
        (.unknown, .remoteDemoted, .unknown, "remote image demoted"),
        (.error, .splitBrain, .error, "split-brain: our own words"),
        (.error, .disconnected, .error, "disconnected"),
        (.error, .peerUnknown, .error, "local image linked to unknown peer: our own words"),
        (.error, .bootstrapFailed, .error, "error bootstrapping replay"),
    ]

    @Test(arguments: phrases)
    func stockSentencesBothWays(
        state: ReplicationStatus.State, reason: ReasonCode, stock: MirrorSiteStatus.State, text: String
    ) {
        let rendered = StockStatus(ReplicationStatus(state: state, reason: reason, text: "our own words"))
        #expect(rendered == StockStatus(state: stock, description: text))
        let read = rendered.read()
        #expect(read.state == state && read.reason == reason && read.text == text)
    }

    /// Stock gives none.
    @Test(arguments: [ReasonCode.splitBrain, .peerUnknown]) func stockSentencesWithoutAReason(_ reason: ReasonCode) throws {
        let bare = StockStatus(ReplicationStatus(state: .error, reason: reason))
        #expect(["split-brain", "local image linked to unknown peer"].contains(bare.description))
        #expect(bare.read().reason == reason && bare.read().state == .error)
        #expect(StockStatus(state: .error, description: "\(bare.description)s").read().reason == .failed)
    }

    @Test func splitBrainInJournalMode() {
        let status = ReplicationStatus(state: .error, reason: .splitBrain)
        let rendered = StockStatus(status, mode: .journal)
        #expect(rendered.description == "split-brain detected")
        #expect(rendered.read().reason == .splitBrain)
    }

    @Test func aDemotionIsNamedWhenItWasSeen() {
        let status = SnapshotPlan.StopReason.remoteDemoted.status()
        #expect(StockStatus(status, wasReplayed: true) == StockStatus(state: .unknown, description: "remote image demoted"))
        #expect(StockStatus(status, wasReplayed: false) == StockStatus(state: .unknown, description: "remote image is not primary"))
    }

    @Test func replayingCarriesTheFigures() throws {
        let figures = try #require(SnapshotReplayFigures(json: FiguresTests.idle))
        let status = ReplicationStatus(role: .replica, state: .replaying, reason: .upToDate)
        let rendered = StockStatus(status, figures: .snapshot(figures))
        #expect(rendered.state == .replaying)
        #expect(rendered.description == "replaying, " + FiguresTests.idle)
        let read = rendered.read(at: WallTime(secondsSince1970: 1795251370))
        #expect(read.role == .replica && read.state == .replaying && read.reason == .upToDate)
        #expect(read.lag(at: WallTime(secondsSince1970: 1795251370)) == 8)
        #expect(read.lastSync?.bytes == 16674816)
        #expect(read.progress == nil)
        #expect(StockStatus(status).description == "replaying")
    }

    @Test func aRunningCopyIsRead() {
        let text = #"replaying, {"bytes_per_second":5.0,"bytes_per_snapshot":1.0,"replay_state":"syncing","seconds_until_synced":4,"syncing_percent":25}"#
        let read = StockStatus(state: .replaying, description: text).read()
        #expect(read.reason == .syncing && read.progress?.fraction == 0.25 && read.progress?.secondsLeft == 4)
    }

    @Test func aReplayingReasonOfItsOwnKeepsTheFigures() {
        let status = ReplicationStatus(state: .replaying, reason: .throttled)
        #expect(StockStatus(status, figures: .snapshot(.init())).description.hasPrefix("replaying, {"))
    }

    @Test func theJournalsFirstSync() {
        let rendered = StockStatus(ReplicationStatus(state: .firstSync, reason: .syncing, text: "IMAGE_SYNC/COPY_IMAGE 25%"))
        #expect(rendered == StockStatus(state: .syncing, description: "bootstrapping, IMAGE_SYNC/COPY_IMAGE 25%"))
    }

    @Test func errorsSpeakForThemselves() {
        let rendered = StockStatus(ReplicationStatus(state: .error, reason: .targetFull, text: "pool p has no room left"))
        #expect(rendered == StockStatus(state: .error, description: "pool p has no room left"))
        #expect(StockStatus(ReplicationStatus(state: .error, reason: .targetFull)).description == "target-full")
        let read = StockStatus(state: .error, description: "failed to copy remote image").read()
        #expect(read.state == .error && read.reason == .failed && read.text == "failed to copy remote image")
    }

    @Test func everyStopReasonHasStocksWords() {
        let reasons: [(SnapshotPlan.StopReason, String)] = [
            (.resyncRequested, "resync requested"), (.forcePromoting, "orphan (force promoting)"),
            (.forcePromoted, "force promoted"), (.unknownPeer("x"), "local image linked to unknown peer: the replica belongs to the site x"),
            (.splitBrain(.baseMissing(remote: 5)),
             "split-brain: the source no longer has the point the replica stands at (snapshot 5)"), (.remoteDemoted, "remote image demoted"),
            (.remoteNotPrimary, "remote image is not primary"), (.remoteRemoved, "remote image no longer exists"),
            (.peerUnknown, "failed to retrieve mirror peer uuid from remote pool"),
            (.malformed("incomplete local primary snapshot"), "incomplete local primary snapshot"),
        ]
        for (reason, words) in reasons { #expect(StockStatus(reason.status()).description == words) }
        #expect(SnapshotPlan.StopReason.splitBrain(.baseMissing(remote: 5)).status().text.contains("5"))
    }

    @Test func bootstrapEndsHaveWordsToo() {
        #expect(StockStatus(ImageBootstrapPlan.StopReason.localPrimary.status())
            == StockStatus(state: .stopped, description: "local image is primary"))
        #expect(StockStatus(ImageBootstrapPlan.StopReason.nameClash("vm").status())
            == StockStatus(state: .error, description: "another local image has the name vm: rename or remove one of the two"))
        #expect(ImageBootstrapPlan.StopReason.deletionHeld(.otherCluster).status().reason == .deletionHeld)
        let many = ImageBootstrapPlan.StopReason.deletionHeld(.many(12)).status()
        #expect(many.reason == .deletionHeld && many.state == .error)
        #expect(many.text.contains("12 replicas") && many.text.contains("resync") && many.text.contains("promote --force"))
        #expect(StockStatus(ImageBootstrapPlan.WaitReason.remoteDisabling.status()).description == "remote image is not primary")
        #expect(ImageBootstrapPlan.WaitReason.sourceUnreachable.status().reason == .sourceUnreachable)
    }
}

@Suite struct ServiceStatusTests {
    @Test func toTheLetter() {
        let status = ServiceStatus(pools: [
            5: .init(name: "p", callouts: [1: .init(level: .warning, text: #"a "quoted" text"#)], instanceID: "4597",
                     isLeader: true, assigned: 4, counts: .init(local: 4, remote: 3), namespaces: ["ns1": .init(local: 1, remote: 1)]),
            12: .init(name: "q"),
        ])
        #expect(status.json == #"{"5":{"name":"p","callouts":{"1":{"level":"warning","text":"a \"quoted\" text"}},"image_assigned_count":4,"image_error_count":0,"image_local_count":4,"image_remote_count":3,"image_warning_count":0,"instance_id":"4597","leader":true,"namespaces":{"ns1":{"image_local_count":1,"image_remote_count":1}}},"12":{"name":"q","callouts":{},"image_assigned_count":0,"image_error_count":0,"image_warning_count":0}}"#)
        #expect(ServiceStatus().json == "{}")
    }

    @Test func anyNameStaysJSON() throws {
        let name = "a\u{1}\n\t\\\"é😀"
        let json = ServiceStatus(pools: [1: .init(name: name)]).json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: [String: Any]])
        #expect(object["1"]?["name"] as? String == name)
    }

    @Test(arguments: [("client.rbd-mirror.b", "b"), ("client.admin", "admin"), ("rbd-mirror.x", "x"), ("", "")])
    func clientIDs(entity: String, expected: String) {
        #expect(ServiceStatus.clientID(ofEntity: entity) == expected)
    }
}
