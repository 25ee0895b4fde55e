import RBDImage
import RBDMirroring
import Testing

@Suite struct SnapshotPlannerStopTests {
    @Test(arguments: [
        PlanCase(name: "all is here", local: [copy(20, of: 5)], remote: [primary(5)], expected: .idle),
        PlanCase(name: "a stock copy is as good", local: [stockCopy(20, of: 5)], remote: [primary(5)], expected: .idle),
        PlanCase(name: "the source has no snapshot", expected: .wait(.notLinked)),
        PlanCase(name: "the source has none for us", remote: [primary(5, peers: [])], expected: .wait(.notLinked)),
        PlanCase(name: "a newer one is not for us", local: [copy(20, of: 5)], remote: [primary(5), primary(6, peers: [])],
                 expected: .wait(.notLinked)),
        PlanCase(name: "the first is being made", remote: [primary(5, complete: false)],
                 expected: .wait(.sourceSnapshotIncomplete(5))),
        PlanCase(name: "the next is being made", local: [copy(20, of: 5)], remote: [primary(5), primary(6, complete: false)],
                 expected: .wait(.sourceSnapshotIncomplete(6))),
        PlanCase(name: "the one being copied is incomplete again", local: [copy(20, of: 5), partial(21, of: 6, at: 2)],
                 remote: [primary(5), primary(6, complete: false)], expected: .wait(.sourceSnapshotIncomplete(6))),
        PlanCase(name: "the one being copied is gone", local: [copy(20, of: 5), partial(21, of: 6, at: 2)],
                 remote: [primary(5)], expected: .wait(.targetLost(6))),
        PlanCase(name: "it is gone and the next is being made", local: [copy(20, of: 5), partial(21, of: 6, at: 2)],
                 remote: [primary(5), primary(7, complete: false)], expected: .wait(.sourceSnapshotIncomplete(7))),
    ])
    func rests(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "resync comes first", local: [orphan(20)], remote: [primary(5)], context: context(resync: true),
                 expected: .stop(.resyncRequested)),
        PlanCase(name: "orphan: nothing is touched any more",
                 local: [copy(18, of: 4), copy(19, of: 5), partial(20, of: 6, at: 1), orphan(21)],
                 remote: [primary(4), primary(5), primary(6)], expected: .stop(.forcePromoting)),
        PlanCase(name: "promoted by force", local: [copy(19, of: 5), orphan(20), primary(21)], remote: [primary(5)],
                 expected: .stop(.forcePromoted)),
        PlanCase(name: "being promoted", local: [copy(19, of: 5), primary(21, complete: false)], remote: [primary(5)],
                 expected: .stop(.forcePromoted)),
        PlanCase(name: "linked to another site", local: [copy(20, of: 5, from: "third")], remote: [primary(5), primary(6)],
                 expected: .stop(.unknownPeer("third"))),
        PlanCase(name: "an unfinished copy from another site", local: [partial(20, of: 5, at: 1, from: "third")],
                 remote: [primary(5)], expected: .stop(.unknownPeer("third"))),
        PlanCase(name: "a base from another site", local: [copy(20, of: 5, from: "third"), partial(21, of: 6)],
                 remote: [primary(6)], expected: .stop(.unknownPeer("third"))),
        PlanCase(name: "an interrupted local demotion", local: [demotion(20, complete: false)], remote: [primary(5)],
                 expected: .stop(.malformed("incomplete local primary snapshot"))),
        PlanCase(name: "a copy over a primary", local: [primary(20), partial(21, of: 5)], remote: [primary(5)],
                 expected: .stop(.malformed("a copy was begun over the primary snapshot 20"))),
        PlanCase(name: "a local state of a later release", local: [strange(20)], remote: [primary(5)],
                 expected: .stop(.malformed("local mirror snapshot 20 has unknown state 9"))),
        PlanCase(name: "a remote state of a later release", local: [copy(20, of: 5)], remote: [primary(5), strange(6)],
                 expected: .stop(.malformed("remote mirror snapshot 6 has unknown state 9"))),
        PlanCase(name: "the source is gone", local: [copy(20, of: 5)], context: context(removed: true),
                 expected: .stop(.remoteRemoved)),
        PlanCase(name: "the source is gone, but this side was promoted", local: [copy(20, of: 5), orphan(21)],
                 context: context(removed: true), expected: .stop(.forcePromoting)),
        PlanCase(name: "our record on the source is not known", remote: [primary(5)], context: context(peer: ""),
                 expected: .stop(.peerUnknown)),
        PlanCase(name: "all is here and the source is demoted", local: [copy(20, of: 5, demoted: true)],
                 remote: [demotion(5)], expected: .stop(.remoteDemoted)),
        PlanCase(name: "the source is demoted and not for us", local: [copy(20, of: 5)],
                 remote: [primary(5), demotion(6, peers: [])], expected: .stop(.remoteDemoted)),
        PlanCase(name: "nothing here and the source is demoted", remote: [demotion(6, peers: [])],
                 expected: .stop(.remoteDemoted)),
        PlanCase(name: "both sides are replicas", local: [copy(20, of: 5)], remote: [primary(5), copy(6, of: 9, from: Site.b)],
                 expected: .stop(.remoteNotPrimary)),
        PlanCase(name: "the source is being promoted by force", local: [demotion(20)],
                 remote: [copy(5, of: 19, from: Site.b), orphan(6)], expected: .stop(.remoteNotPrimary)),
        PlanCase(name: "our demotion has not reached the other side", local: [primary(19), demotion(20)],
                 remote: [copy(5, of: 19, from: Site.b)], expected: .stop(.remoteNotPrimary)),
        PlanCase(name: "both sides demoted", local: [demotion(20)], remote: [copy(5, of: 20, from: Site.b, demoted: true)],
                 expected: .stop(.remoteDemoted)),
        PlanCase(name: "our demotion, and nothing at all there", local: [demotion(20)], expected: .stop(.remoteNotPrimary)),
    ])
    func stops(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "the base is gone", local: [copy(20, of: 5)], remote: [primary(6)],
                 expected: .stop(.splitBrain(.baseMissing(remote: 5)))),
        PlanCase(name: "every source snapshot is gone", local: [copy(20, of: 5)],
                 expected: .stop(.splitBrain(.baseMissing(remote: 5)))),
        PlanCase(name: "the base's id is a user snapshot", local: [copy(20, of: 5)], remote: [user(5, "x"), primary(6)],
                 expected: .stop(.splitBrain(.baseMissing(remote: 5)))),
        PlanCase(name: "the base is gone in mid-copy", local: [copy(20, of: 5), partial(21, of: 6, at: 1)],
                 remote: [primary(6)], expected: .stop(.splitBrain(.baseMissing(remote: 5)))),
        PlanCase(name: "nothing is pruned or unlinked in a split-brain", local: [copy(19, of: 4), copy(20, of: 5)],
                 remote: [primary(6), primary(7)], expected: .stop(.splitBrain(.baseMissing(remote: 5)))),
        PlanCase(name: "promoted here by force, then demoted", local: [copy(18, of: 5), orphan(19), primary(20), demotion(21)],
                 remote: [primary(5), primary(6)], expected: .stop(.splitBrain(.demotionNotFollowed(local: 21)))),
        PlanCase(name: "both were primary, both are demoted", local: [demotion(21)], remote: [primary(5), demotion(6)],
                 expected: .stop(.splitBrain(.demotionNotFollowed(local: 21)))),
        PlanCase(name: "followed another demotion of ours", local: [demotion(19), primary(20), demotion(21)],
                 remote: [copy(5, of: 19, from: Site.b, demoted: true), primary(6)],
                 expected: .stop(.splitBrain(.demotionNotFollowed(local: 21)))),
        PlanCase(name: "followed the demotion of a third site", local: [demotion(21)],
                 remote: [copy(5, of: 21, from: "third", demoted: true), primary(6)],
                 expected: .stop(.splitBrain(.demotionNotFollowed(local: 21)))),
        PlanCase(name: "promoted over a copy of our demotion that was never finished", local: [demotion(21)],
                 remote: [partial(5, of: 21, at: 2, from: Site.b, demoted: true), primary(6)],
                 expected: .stop(.splitBrain(.demotionNotFollowed(local: 21)))),
    ])
    func splitBrains(_ testCase: PlanCase) { testCase.check() }

    @Test func sealMarker() {
        #expect(SealedPoint.isSealed(copy(1, of: 2).mirror!))
        #expect(!SealedPoint.isSealed(stockCopy(1, of: 2).mirror!))
        #expect(!SealedPoint.isSealed(partial(1, of: 2).mirror!))
        #expect(!SealedPoint.isSealed(orphan(1).mirror!))
        #expect(!SealedPoint.isSealed(primary(1).mirror!))
        let stock = stockCopy(1, of: 2, demoted: true, peers: [Site.peerA]).mirror!
        let sealed = SealedPoint.sealing(stock)
        #expect(SealedPoint.isSealed(sealed))
        #expect(sealed.state == stock.state && sealed.peers == stock.peers && sealed.snapshotIDs == stock.snapshotIDs)
        #expect(SealedPoint.name(globalImageID: "g", uuid: "u") == ".mirror.non_primary.g.u")
    }

    @Test func overview() {
        let remote = [primary(5), primary(6), primary(7), primary(8, complete: false)]
        let busy = SnapshotOverview(local: [copy(20, of: 5), partial(21, of: 6, at: 1)], remote: remote, context: context())
        #expect(busy.sourcePoint == CephTime(seconds: 1007))
        #expect(busy.replicaPoint == CephTime(seconds: 1005))
        #expect(busy.pending == 2)
        let empty = SnapshotOverview(local: [], remote: [primary(5)], context: context())
        #expect(empty == SnapshotOverview(local: [user(3, "x")], remote: [primary(5)], context: context()))
        #expect(empty.replicaPoint == nil && empty.pending == 1)
        let swapped = SnapshotOverview(
            local: [demotion(20)], remote: [copy(5, of: 20, from: Site.b, demoted: true), primary(6)], context: context())
        #expect(swapped.replicaPoint == nil && swapped.pending == 1)
    }
}
