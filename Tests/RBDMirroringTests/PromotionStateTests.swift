import RBDImage
import RBDMirroring
import Testing

@Suite struct PromotionStateTests {
    @Test(arguments: [
        ([], .unknown),
        ([user(3, "a")], .unknown),
        ([primary(4)], .primary),
        ([primary(4, complete: false)], .primary),
        ([primary(4), demotion(5)], .orphan),
        ([copy(4, of: 9)], .nonPrimary(primaryMirrorUUID: Site.a)),
        ([copy(4, of: 9), partial(7, of: 11)], .nonPrimary(primaryMirrorUUID: Site.a)),
        ([copy(4, of: 9, demoted: true)], .orphan),
        ([copy(4, of: 9), orphan(6)], .nonPrimary(primaryMirrorUUID: "")),
        ([primary(8), orphan(6), copy(4, of: 9), user(20, "late")], .primary),
        ([strange(4)], .unknown),
    ] as [([ImageSnapshot], PromotionState)])
    func theNewestMirrorSnapshotDecides(snapshots: [ImageSnapshot], expected: PromotionState) {
        #expect(PromotionState(ofSnapshots: snapshots) == expected)
        #expect(PromotionState(ofSnapshots: snapshots.reversed()) == expected)
    }
}
