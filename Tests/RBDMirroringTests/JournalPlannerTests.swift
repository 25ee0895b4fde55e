import JournalReplay
@testable import RBDMirroring
import Testing

/// What follows from the epochs of two journals: site A is the source, site B plans.
@Suite struct JournalPlannerTests {
    private typealias Epochs = [(UInt64, JournalEpoch)]
    private static let (siteA, siteB) = ("aaaa", "bbbb")

    private static func facts(
        local: JournalEpoch, remote: Epochs, peer: JournalClientRole.Peer? = .init(imageID: "replica"),
        committed: [JournalPosition] = [], state: JournalClient.State = .connected
    ) -> JournalFacts {
        let client = JournalClient(id: siteB, committed: .init(committed), state: state)
        return JournalFacts(
            localImageID: "replica", local: local, client: peer.map { _ in client }, peer: peer,
            remote: remote.map { (id: $0.0, epoch: $0.1) }, localMirrorUUID: siteB, remoteMirrorUUID: siteA)
    }

    private static func epoch(
        _ owner: JournalEpoch.Owner, after before: JournalEpoch.Owner = .local, _ tag: UInt64? = nil, _ entry: UInt64 = 0
    ) -> JournalEpoch {
        JournalEpoch(owner, after: .init(before, isCommitted: tag != nil, tag: tag ?? 0, entry: entry))
    }

    private let peer = JournalClientRole.Peer(imageID: "replica")

    @Test func isCopiedFirst() {
        let fresh = Self.epoch(.site(Self.siteA))
        let begin = Self.facts(local: fresh, remote: [(0, Self.epoch(.local))], peer: nil)
        #expect(JournalPlanner.plan(begin) == .register(.init(imageID: "replica", state: .syncing)))
        let syncing = JournalClientRole.Peer(imageID: "replica", state: .syncing)
        #expect(JournalPlanner.plan(Self.facts(local: fresh, remote: [(0, Self.epoch(.local))], peer: syncing)) == .firstSync(syncing))
        #expect(JournalPlanner.plan(Self.facts(local: fresh, remote: [(0, Self.epoch(.local))])) == .replay(peer))
    }

    @Test func followsOn() {
        let local = Self.epoch(.site(Self.siteA), after: .site(Self.siteA), 1, 4)
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: [(1, Self.epoch(.local)), (2, Self.epoch(.local, 1, 4))])) == .replay(peer))
        // All that it could go on with is trimmed.
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: [(0, Self.epoch(.local))])) == .stop(.splitBrain(.notFollowed)))
    }

    /// A was demoted, B has replayed that: nothing to do until one of them is promoted.
    @Test func bothAreDemoted() {
        let local = Self.epoch(.orphan, after: .site(Self.siteA), 2, 3)
        let remote: Epochs = [(2, Self.epoch(.local, 1, 4)), (4, Self.epoch(.orphan, 2, 3))]
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: remote)) == .stop(.remoteDemoted))
        // And A was promoted again.
        let again: Epochs = remote + [(5, Self.epoch(.local, after: .orphan, 4, 1))]
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: again)) == .replay(peer))
        // By force, without a link.
        let forced: Epochs = remote + [(5, Self.epoch(.local, 4, 0))]
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: forced)) == .stop(.splitBrain(.notFollowed)))
    }

    /// B was demoted, A has replayed that and was promoted.
    @Test func rolesChanged() {
        let local = Self.epoch(.orphan, 7, 12)
        let remote: Epochs = [(3, Self.epoch(.orphan, after: .site(Self.siteB), 7, 12)), (4, Self.epoch(.local, after: .orphan, 3, 1))]
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: remote)) == .replay(peer))
        // A's journal was not kept for B from there on.
        let late = Self.facts(local: local, remote: remote, committed: [.init(object: 0, tag: 4, entry: 5)])
        #expect(JournalPlanner.plan(late) == .stop(.splitBrain(.notKept(tag: 4))))
        // Only the promotion itself is missing, which changes nothing.
        let justAfter = Self.facts(local: local, remote: remote, committed: [.init(object: 0, tag: 4, entry: 0)])
        #expect(JournalPlanner.plan(justAfter) == .replay(peer))
        // Another demotion of B than the one that A knows.
        let other = Self.epoch(.orphan, 9, 2)
        #expect(JournalPlanner.plan(Self.facts(local: other, remote: remote)) == .stop(.splitBrain(.notFollowed)))
    }

    @Test func stops() {
        let local = Self.epoch(.site(Self.siteA), after: .site(Self.siteA), 1, 4)
        let remote: Epochs = [(1, Self.epoch(.local)), (2, Self.epoch(.local, 1, 4))]
        #expect(JournalPlanner.plan(Self.facts(local: Self.epoch(.local), remote: remote)) == .stop(.localPrimary))
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: remote, state: .disconnected)) == .stop(.disconnected))
        let other = JournalClientRole.Peer(imageID: "another")
        #expect(JournalPlanner.plan(Self.facts(local: local, remote: remote, peer: other)) == .stop(.splitBrain(.otherReplica("another"))))
        var resync = Self.facts(local: local, remote: remote)
        resync.isResyncRequested = true
        #expect(JournalPlanner.plan(resync) == .stop(.resyncRequested))
        var odd = Self.facts(local: local, remote: remote)
        odd.peer = nil
        guard case .stop(.malformed) = JournalPlanner.plan(odd) else {
            Issue.record("\(JournalPlanner.plan(odd))")
            return
        }
    }

    /// The chain of the reference: what A writes, and what B makes of it.
    @Test func epochsAreTranslated() {
        func translated(_ epoch: JournalEpoch) -> JournalEpoch { epoch.translated(localMirrorUUID: Self.siteB, remoteMirrorUUID: Self.siteA) }
        #expect(translated(Self.epoch(.local, 1, 4)) == Self.epoch(.site(Self.siteA), after: .site(Self.siteA), 1, 4))
        #expect(translated(Self.epoch(.orphan, 2, 3)) == Self.epoch(.orphan, after: .site(Self.siteA), 2, 3))
        #expect(translated(Self.epoch(.local, after: .orphan, 2, 1)) == Self.epoch(.site(Self.siteA), after: .orphan, 2, 1))
        #expect(translated(Self.epoch(.site(Self.siteB), after: .site(Self.siteB), 3, 0)) == Self.epoch(.local, after: .local, 3, 0))
    }

    @Test func lag() {
        func position(_ tag: UInt64, _ entry: UInt64) -> JournalPosition { .init(object: 0, tag: tag, entry: entry) }
        func tag(_ id: UInt64, after before: UInt64?, _ entry: UInt64 = 0) -> JournalTag {
            JournalTag(id: id, tagClass: 0, data: Self.epoch(.local, before, entry).encoded)
        }
        let tags = [tag(1, after: nil), tag(2, after: 1, 9), tag(4, after: 2, 4)]
        #expect(JournalLag.entries(primary: nil, replica: position(1, 3), tags: tags) == 0)
        #expect(JournalLag.entries(primary: position(2, 4), replica: position(2, 1), tags: tags) == 3)
        #expect(JournalLag.entries(primary: position(2, 4), replica: position(2, 4), tags: tags) == 0)
        // The image's own commits may be behind the replica's.
        #expect(JournalLag.entries(primary: position(2, 1), replica: position(2, 4), tags: tags) == 0)
        // 3 of tag 4, 5 of tag 2, 6 of tag 1.
        #expect(JournalLag.entries(primary: position(4, 2), replica: position(1, 3), tags: tags) == 14)
        #expect(JournalLag.entries(primary: position(4, 2), replica: nil, tags: tags) == 18)
    }
}

extension JournalPlannerTests {
    private static func epoch(_ owner: JournalEpoch.Owner, _ tag: UInt64?, _ entry: UInt64) -> JournalEpoch {
        epoch(owner, after: .local, tag, entry)
    }
}
