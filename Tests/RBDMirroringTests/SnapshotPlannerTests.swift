import RBDImage
import RBDMirroring
import Testing

/// One branch of the planner, named by the test's argument.
struct PlanCase: CustomTestStringConvertible, Sendable {
    var name: String
    var local: [ImageSnapshot] = []
    var remote: [ImageSnapshot] = []
    var context = RBDMirroringTests.context()
    var expected: SnapshotPlan
    var testDescription: String { name }

    func check() {
        #expect(plan(local, remote, context) == expected)
        // The order the header was read in plays no part.
        #expect(plan(local.reversed(), remote.reversed(), context) == expected)
    }
}

@Suite struct SnapshotPlannerTests {
    @Test(arguments: [
        PlanCase(name: "first point", remote: [primary(5)], expected: sync(from: nil, to: 5, over: nil)),
        PlanCase(name: "points are taken one by one", local: [copy(20, of: 5)],
                 remote: [primary(5), primary(6), primary(7)], expected: sync(from: 5, to: 6, over: 20)),
        PlanCase(name: "user snapshots play no part", local: [user(1, "x"), copy(20, of: 5)],
                 remote: [user(2, "y"), primary(5), user(6, "z"), primary(7)], expected: sync(from: 5, to: 7, over: 20)),
        PlanCase(name: "a demotion is copied as one", local: [copy(20, of: 5)], remote: [primary(5), demotion(6)],
                 expected: sync(from: 5, to: 6, over: 20, demotion: true)),
        PlanCase(name: "clean since the base", local: [copy(20, of: 5)], remote: [primary(5), primary(6, cleanSince: 5)],
                 expected: sync(from: 5, to: 6, over: 20, clean: true)),
        PlanCase(name: "clean since another point is not clean", local: [copy(20, of: 5)],
                 remote: [primary(5), primary(6, cleanSince: 4)], expected: sync(from: 5, to: 6, over: 20)),
        PlanCase(name: "points that are not for us are passed over", local: [copy(20, of: 5)],
                 remote: [primary(5), primary(6, peers: ["other"]), primary(7)], expected: sync(from: 5, to: 7, over: 20)),
        PlanCase(name: "the base counts although it is no longer linked", local: [copy(20, of: 5)],
                 remote: [primary(5, peers: []), primary(6)], expected: sync(from: 5, to: 6, over: 20)),
        PlanCase(name: "a dead incomplete point is passed over", local: [copy(20, of: 5)],
                 remote: [primary(5), primary(6, complete: false), primary(7)], expected: sync(from: 5, to: 7, over: 20)),
        PlanCase(name: "base lost, an older point was kept", local: [copy(20, of: 5)],
                 remote: [primary(4), primary(6)], expected: sync(from: 4, to: 6, over: 20, exact: false)),
        PlanCase(name: "our demotion was followed", local: [demotion(20, peers: [Site.peerA])],
                 remote: [copy(5, of: 20, from: Site.b, demoted: true, peers: [Site.peerB]), primary(6)],
                 expected: sync(from: 5, to: 6, over: 20)),
        PlanCase(name: "our demotion was followed by a stock daemon: its copy holds older data",
                 local: [demotion(20, peers: [Site.peerA])],
                 remote: [copy(5, of: 20, from: Site.b, copied: 4, demoted: true, peers: [Site.peerB]), primary(6, cleanSince: 5)],
                 expected: sync(from: 5, to: 6, over: 20, exact: false)),
        PlanCase(name: "of two copies of our demotion the newest", local: [demotion(20)],
                 remote: [copy(5, of: 20, from: Site.b, copied: 4, demoted: true),
                          copy(6, of: 20, from: Site.b, demoted: true), primary(7)],
                 expected: sync(from: 6, to: 7, over: 20)),
    ])
    func syncs(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "in the middle", local: [copy(20, of: 5), partial(21, of: 6, at: 3)], remote: [primary(5), primary(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 3))),
        PlanCase(name: "begun by stock over its own copy", local: [stockCopy(20, of: 5), partial(21, of: 6, at: 3)],
                 remote: [primary(5), primary(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 3))),
        PlanCase(name: "everything copied", local: [copy(20, of: 5), partial(21, of: 6, at: 4)], remote: [primary(5), primary(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 4))),
        PlanCase(name: "the first point ever, even at 0", local: [partial(20, of: 5)], remote: [primary(5)],
                 expected: .resume(.init(local: 20, from: nil, to: 5, localStart: nil, firstObject: 0))),
        PlanCase(name: "nothing copied yet", local: [copy(20, of: 5), partial(21, of: 6)], remote: [primary(5), primary(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 0))),
        PlanCase(name: "of a demotion", local: [copy(20, of: 5), partial(21, of: 6, at: 1, demoted: true)],
                 remote: [primary(5), demotion(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 1))),
        PlanCase(name: "the target is no longer linked", local: [copy(20, of: 5), partial(21, of: 6, at: 3)],
                 remote: [primary(5), primary(6, peers: []), primary(7)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 3))),
        PlanCase(name: "after our own demotion", local: [demotion(20), partial(21, of: 6, at: 2)],
                 remote: [copy(5, of: 20, from: Site.b, demoted: true), primary(6)],
                 expected: .resume(.init(local: 21, from: 5, to: 6, localStart: 20, firstObject: 2))),
        PlanCase(name: "newer points wait", local: [partial(20, of: 5, at: 1)], remote: [primary(5), primary(6)],
                 expected: .resume(.init(local: 20, from: nil, to: 5, localStart: nil, firstObject: 1))),
    ])
    func resumes(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "the target is gone: on to the next", local: [copy(20, of: 5), partial(21, of: 6, at: 3)],
                 remote: [primary(5), primary(7)], expected: sync(from: 5, to: 7, over: 20, replacing: 21, exact: false)),
        PlanCase(name: "the target of the first sync is gone", local: [partial(20, of: 5, at: 3)], remote: [primary(7)],
                 expected: sync(from: nil, to: 7, over: nil, replacing: 20, exact: false)),
        PlanCase(name: "the target is gone and a demotion is next", local: [copy(20, of: 5), partial(21, of: 6, at: 3)],
                 remote: [primary(5), demotion(7)],
                 expected: sync(from: 5, to: 7, over: 20, replacing: 21, demotion: true, exact: false)),
    ])
    func replacesAnUnfinishedCopyOnlyTogetherWithTheNextOne(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "a stock copy before the next point", local: [stockCopy(20, of: 5)], remote: [primary(5), primary(6)],
                 expected: .seal(20)),
        PlanCase(name: "a stock copy of a demotion", local: [stockCopy(20, of: 5, demoted: true, peers: [Site.peerA])],
                 remote: [demotion(5), primary(6)], expected: .seal(20)),
        PlanCase(name: "not while there is nothing to copy", local: [stockCopy(20, of: 5)], remote: [primary(5)],
                 expected: .idle),
        PlanCase(name: "not for a point that is still being made", local: [stockCopy(20, of: 5)],
                 remote: [primary(5), primary(6, complete: false)], expected: .wait(.sourceSnapshotIncomplete(6))),
        PlanCase(name: "sealed once, the stock copy goes", local: [stockCopy(20, of: 5), copy(21, of: 5)],
                 remote: [primary(5), primary(6)], expected: .prune([20])),
        PlanCase(name: "our own demotion needs none", local: [demotion(20)],
                 remote: [copy(5, of: 20, from: Site.b, demoted: true), primary(6)], expected: sync(from: 5, to: 6, over: 20)),
    ])
    func seals(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "older copies", local: [copy(18, of: 3), stockCopy(19, of: 4), copy(20, of: 5)], remote: [primary(5)],
                 expected: .prune([18, 19])),
        PlanCase(name: "the snapshot the copy ran under", local: [copy(18, of: 4), partial(19, of: 5, at: 3), copy(20, of: 5)],
                 remote: [primary(5)], expected: .prune([19, 18])),
        PlanCase(name: "an abandoned copy, once another is begun",
                 local: [copy(18, of: 4), partial(19, of: 5, at: 3), partial(20, of: 6)], remote: [primary(4), primary(6)],
                 expected: .prune([19])),
        PlanCase(name: "a copy begun again of what is here", local: [copy(18, of: 5), partial(19, of: 5, at: 2)],
                 remote: [primary(5), primary(6)], expected: .prune([19])),
        PlanCase(name: "before resuming", local: [copy(17, of: 4), copy(18, of: 5), partial(19, of: 6, at: 2)],
                 remote: [primary(5), primary(6)], expected: .prune([17])),
        PlanCase(name: "what an interrupted removal left in the trash, unless a clone needs it",
                 local: [trashed(17), trashed(18, clones: 1), trashed(21), copy(20, of: 5)], remote: [primary(5)],
                 expected: .prune([17, 21])),
        PlanCase(name: "the only copy stays", local: [copy(20, of: 5)], remote: [primary(5)], expected: .idle),
        PlanCase(name: "copies older than our demotion", local: [copy(17, of: 3), orphan(18), primary(19), demotion(20)],
                 remote: [copy(5, of: 20, from: Site.b, demoted: true), primary(6)], expected: .prune([17, 18])),
        PlanCase(name: "a demoted copy the peer may still have to follow",
                 local: [copy(17, of: 3, demoted: true, peers: [Site.peerA]), primary(18), demotion(20)],
                 remote: [copy(5, of: 20, from: Site.b, demoted: true), primary(6)], expected: sync(from: 5, to: 6, over: 20)),
        PlanCase(name: "a demoted copy, once the peer has gone on",
                 local: [copy(17, of: 3, demoted: true, peers: [Site.peerA]), copy(20, of: 5)],
                 remote: [demotion(3), primary(5)], expected: .prune([17])),
        PlanCase(name: "not one that a third site waits for",
                 local: [copy(17, of: 3, demoted: true, peers: [Site.peerA, "third"]), copy(20, of: 5)],
                 remote: [primary(5)], expected: .idle),
        PlanCase(name: "the stock half of a sealed demotion, peers or not",
                 local: [stockCopy(17, of: 3, demoted: true, peers: [Site.peerA, "third"]),
                         copy(20, of: 3, demoted: true, peers: [Site.peerA, "third"])],
                 remote: [demotion(3)], expected: .prune([17])),
        PlanCase(name: "our old primary snapshots nobody needs",
                 local: [primary(15, peers: []), primary(16, peers: [Site.peerA, "third"]), demotion(17, peers: [Site.peerA]),
                         primary(18, peers: ["third"], complete: false), copy(20, of: 5)],
                 remote: [primary(5)], expected: .prune([15, 17, 18])),
        PlanCase(name: "but not before a point of the new primary is here",
                 local: [primary(15, peers: [Site.peerA]), demotion(17, peers: [Site.peerA]), partial(20, of: 6, at: 1)],
                 remote: [copy(5, of: 17, from: Site.b, demoted: true), primary(6)],
                 expected: .resume(.init(local: 20, from: 5, to: 6, localStart: 17, firstObject: 1))),
    ])
    func prunes(_ testCase: PlanCase) { testCase.check() }

    @Test(arguments: [
        PlanCase(name: "all before the common point", local: [copy(20, of: 5)],
                 remote: [primary(3), primary(4), primary(5), primary(6)], expected: .unlink([3, 4])),
        PlanCase(name: "demotions and copies too", local: [copy(20, of: 5)],
                 remote: [demotion(2), copy(3, of: 9, from: Site.b, demoted: true, peers: [Site.peerB]), primary(5)],
                 expected: .unlink([2, 3])),
        PlanCase(name: "not what is not linked", local: [copy(20, of: 5)],
                 remote: [primary(3, peers: []), primary(4, peers: ["other"]), primary(5)], expected: .idle),
        PlanCase(name: "while a copy is unfinished", local: [copy(20, of: 5), partial(21, of: 6, at: 1)],
                 remote: [primary(4), primary(5), primary(6)], expected: .unlink([4])),
        PlanCase(name: "not what the lost base falls back to", local: [copy(20, of: 5)],
                 remote: [primary(3), primary(4), primary(6)], expected: .unlink([3])),
        PlanCase(name: "nothing before the first point after our demotion is here",
                 local: [demotion(20)],
                 remote: [demotion(3), copy(5, of: 20, from: Site.b, demoted: true, peers: [Site.peerB]), primary(6)],
                 expected: sync(from: 5, to: 6, over: 20)),
    ])
    func unlinks(_ testCase: PlanCase) { testCase.check() }
}
