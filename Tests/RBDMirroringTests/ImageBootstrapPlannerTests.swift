import RBDImage
import RBDMirroring
import Testing

struct BootstrapCase: CustomTestStringConvertible, Sendable {
    var name: String
    var local: BootstrapFacts.Local?
    var remote: BootstrapFacts.Answer
    var owner: String?
    var source = known
    var knownSource: SourceIdentity? = known
    var expected: ImageBootstrapPlan
    var testDescription: String { name }

    static let known = SourceIdentity(fsid: "fsid-of-a", mirrorUUID: Site.a)

    func check() {
        let facts = BootstrapFacts(
            local: local, remote: remote, localNameOwner: owner, source: source, knownSource: knownSource)
        #expect(ImageBootstrapPlanner.plan(facts) == expected)
    }
}

private func here(
    _ promotion: PromotionState, _ state: MirrorImage.State = .enabled, mode: MirrorImage.Mode = .snapshot,
    inDirectory: Bool = true, resync: Bool = false
) -> BootstrapFacts.Local {
    .init(imageID: "1", record: .init(globalID: "g", state: state, mode: mode), isInDirectory: inDirectory,
          promotion: promotion, resyncRequested: resync)
}

private func there(
    _ promotion: PromotionState, _ state: MirrorImage.State = .enabled, mode: MirrorImage.Mode = .snapshot,
    named name: String = "vm"
) -> BootstrapFacts.Answer {
    .image(.init(imageID: "9", name: name, record: .init(globalID: "g", state: state, mode: mode), promotion: promotion))
}

private let replica = PromotionState.nonPrimary(primaryMirrorUUID: Site.a)
private let stranger = PromotionState.nonPrimary(primaryMirrorUUID: "third")
private let orphaned = PromotionState.nonPrimary(primaryMirrorUUID: "")

@Suite struct ImageBootstrapPlannerTests {
    @Test(arguments: [
        BootstrapCase(name: "a new image", remote: there(.primary), expected: .create(name: "vm", mode: .snapshot)),
        BootstrapCase(name: "in journal mode", remote: there(.primary, mode: .journal), expected: .create(name: "vm", mode: .journal)),
        BootstrapCase(name: "the name is taken", remote: there(.primary), owner: "5", expected: .stop(.nameClash("vm"))),
        BootstrapCase(name: "the source is demoted", remote: there(.orphan), expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "the source is a replica", remote: there(stranger), expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "the source is half built", remote: there(.primary, .creating), expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "the source has no snapshot yet", remote: there(.unknown), expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "the source is being disabled", remote: there(.primary, .disabling), expected: .wait(.remoteDisabling)),
        BootstrapCase(name: "the source's image is gone", remote: there(.unknown, named: ""), expected: .stop(.sourceMissing)),
        BootstrapCase(name: "the source's image is being made", remote: there(.unknown, .creating, named: ""),
                      expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "no source", remote: .absent, expected: .stop(.remoteRemoved)),
        BootstrapCase(name: "no answer", remote: .unreachable, expected: .wait(.sourceUnreachable)),
    ])
    func nothingHere(_ testCase: BootstrapCase) { testCase.check() }

    @Test(arguments: [
        BootstrapCase(name: "a replica", local: here(replica), remote: there(.primary), expected: .replay),
        BootstrapCase(name: "our own name is no clash", local: here(replica), remote: there(.primary), owner: "1", expected: .replay),
        BootstrapCase(name: "a replica of a demoted source", local: here(replica), remote: there(.orphan), expected: .replay),
        BootstrapCase(name: "demoted here, primary there", local: here(.orphan), remote: there(.primary), expected: .replay),
        BootstrapCase(name: "both demoted", local: here(.orphan), remote: there(.orphan), expected: .replay),
        BootstrapCase(name: "an empty replica", local: here(.unknown), remote: there(.primary), expected: .replay),
        BootstrapCase(name: "an empty replica of a demoted source", local: here(.unknown), remote: there(.orphan),
                      expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "the source's image is gone", local: here(replica), remote: there(.unknown, named: ""),
                      expected: .stop(.sourceMissing)),
        BootstrapCase(name: "the source's image is gone, and a resync is asked for", local: here(replica, resync: true),
                      remote: there(.unknown, named: ""), expected: .stop(.sourceMissing)),
        BootstrapCase(name: "both replicas", local: here(replica), remote: there(stranger), expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "primary here", local: here(.primary), remote: there(replica), expected: .stop(.localPrimary)),
        BootstrapCase(name: "primary on both sides", local: here(.primary), remote: there(.primary), expected: .stop(.localPrimary)),
        BootstrapCase(name: "primary here, nothing there", local: here(.primary), remote: .absent, expected: .stop(.localPrimary)),
        BootstrapCase(name: "primary here, no answer", local: here(.primary), remote: .unreachable, expected: .stop(.localPrimary)),
        BootstrapCase(name: "primary here, asked to resync", local: here(.primary, resync: true), remote: there(.primary),
                      expected: .stop(.localPrimary)),
        BootstrapCase(name: "being promoted by force", local: here(orphaned), remote: there(.primary), expected: .stop(.forcePromoting)),
        BootstrapCase(name: "no answer", local: here(replica), remote: .unreachable, expected: .wait(.sourceUnreachable)),
        BootstrapCase(name: "filled from a third site", local: here(stranger), remote: there(.primary), expected: .stop(.unknownPeer("third"))),
        BootstrapCase(name: "other modes", local: here(replica, mode: .journal), remote: there(.primary),
                      expected: .stop(.splitBrain(.modeMismatch))),
        BootstrapCase(name: "the source is being disabled", local: here(replica), remote: there(.primary, .disabling),
                      expected: .wait(.remoteDisabling)),
        BootstrapCase(name: "being disabled here", local: here(replica, .disabling), remote: there(.primary), expected: .wait(.localDisabling)),
        BootstrapCase(name: "a record without an image", local: here(.unknown, inDirectory: false), remote: there(.primary),
                      expected: .stop(.malformed("the mirror record of 1 has no image"))),
    ])
    func bothHere(_ testCase: BootstrapCase) { testCase.check() }

    @Test(arguments: [
        BootstrapCase(name: "half built", local: here(.unknown, .creating), remote: there(.primary), expected: .discard(.halfBuilt)),
        BootstrapCase(name: "half built, linked a moment ago", local: here(replica, .creating), remote: there(.primary),
                      expected: .discard(.halfBuilt)),
        BootstrapCase(name: "half built, only the record", local: here(.unknown, .creating, inDirectory: false), remote: .absent,
                      expected: .discard(.halfBuilt)),
        BootstrapCase(name: "a primary is never half built", local: here(.primary, .creating), remote: there(.primary),
                      expected: .stop(.localPrimary)),
        BootstrapCase(name: "a removal that was interrupted", local: here(.unknown, .disabling, inDirectory: false),
                      remote: .unreachable, expected: .discard(.interruptedRemoval)),
        BootstrapCase(name: "resync", local: here(replica, resync: true), remote: there(.primary), expected: .discard(.resync)),
        BootstrapCase(name: "resync that was interrupted", local: here(replica, .disabling, resync: true), remote: there(.primary),
                      expected: .discard(.resync)),
        BootstrapCase(name: "resync after a split-brain", local: here(.orphan, resync: true), remote: there(.primary),
                      expected: .discard(.resync)),
        BootstrapCase(name: "resync from another site than before", local: here(stranger, resync: true), remote: there(.primary),
                      expected: .discard(.resync)),
        BootstrapCase(name: "resync of an image being promoted", local: here(orphaned, resync: true), remote: there(.primary),
                      expected: .stop(.forcePromoting)),
        BootstrapCase(name: "resync waits for a primary", local: here(replica, resync: true), remote: there(.orphan),
                      expected: .wait(.resyncNeedsPrimary)),
        BootstrapCase(name: "resync waits for an answer", local: here(replica, resync: true), remote: .unreachable,
                      expected: .wait(.sourceUnreachable)),
    ])
    func discards(_ testCase: BootstrapCase) { testCase.check() }

    @Test(arguments: [
        BootstrapCase(name: "proved", local: here(replica), remote: .absent, expected: .delete),
        BootstrapCase(name: "a deletion that was interrupted", local: here(replica, .disabling), remote: .absent, expected: .delete),
        BootstrapCase(name: "the source was never seen", local: here(replica), remote: .absent, knownSource: nil,
                      expected: .stop(.deletionHeld(.sourceNotKnown))),
        BootstrapCase(name: "another cluster answered", local: here(replica), remote: .absent,
                      source: .init(fsid: "other", mirrorUUID: Site.a), expected: .stop(.deletionHeld(.otherCluster))),
        BootstrapCase(name: "a cluster without a name answered", local: here(replica), remote: .absent,
                      source: .init(fsid: "", mirrorUUID: Site.a), knownSource: .init(fsid: "", mirrorUUID: Site.a),
                      expected: .stop(.deletionHeld(.otherCluster))),
        BootstrapCase(name: "the pool was made anew", local: here(replica), remote: .absent,
                      source: .init(fsid: "fsid-of-a", mirrorUUID: "new"), expected: .stop(.unknownPeer(Site.a))),
        BootstrapCase(name: "the pool is gone", local: here(replica), remote: .absent,
                      source: .init(fsid: "fsid-of-a", mirrorUUID: ""), expected: .stop(.deletionHeld(.poolGone))),
        BootstrapCase(name: "a resync was asked for", local: here(replica, resync: true), remote: .absent, expected: .delete),
        BootstrapCase(name: "the image is broken, its record is there", local: here(replica), remote: there(.unknown),
                      expected: .stop(.remoteNotPrimary)),
        BootstrapCase(name: "another pool was known", local: here(replica), remote: .absent,
                      knownSource: .init(fsid: "fsid-of-a", mirrorUUID: "old"), expected: .stop(.deletionHeld(.otherPool))),
        BootstrapCase(name: "a replica of a third site", local: here(stranger), remote: .absent, expected: .stop(.unknownPeer("third"))),
        BootstrapCase(name: "demoted here: nobody's replica", local: here(.orphan), remote: .absent, expected: .stop(.remoteRemoved)),
        BootstrapCase(name: "never linked", local: here(.unknown), remote: .absent, expected: .stop(.remoteRemoved)),
    ])
    func deletesOnlyWhatIsProvedToBeGone(_ testCase: BootstrapCase) { testCase.check() }
}
