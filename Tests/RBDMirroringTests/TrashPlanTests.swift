import RBDImage
import RBDMirroring
import Testing

@Suite struct TrashPlanTests {
    private func entry(
        _ source: TrashImageSpec.Source = .mirroring, until end: UInt32, _ state: TrashImageSpec.State = .normal
    ) -> TrashImageSpec {
        TrashImageSpec(source: source, name: "vm", deleted: .zero, defermentEnd: CephTime(seconds: end), state: state)
    }

    private func plan(_ entries: [String: TrashImageSpec]) -> TrashPlan { TrashPlan(entries, at: CephTime(seconds: 100)) }

    @Test func emptyTrash() {
        #expect(plan([:]).due.isEmpty)
        #expect(plan([:]).nextDue == nil)
    }

    @Test func inTheirTimeAndOrder() {
        let plan = plan(["c": entry(until: 100), "a": entry(until: 90), "b": entry(until: 90), "d": entry(until: 101), "e": entry(until: 200)])
        #expect(plan.due == ["a", "b", "c"])
        #expect(plan.nextDue == CephTime(seconds: 101))
    }

    @Test(arguments: [TrashImageSpec.Source.user, .migration, .removing, .userParent, .init(rawValue: 99)])
    func othersAreLeftAlone(_ source: TrashImageSpec.Source) {
        for state in [TrashImageSpec.State.normal, .removing] {
            let plan = plan(["a": entry(source, until: 0, state), "b": entry(source, until: 200, state)])
            #expect(plan.due.isEmpty)
            #expect(plan.nextDue == nil)
        }
    }

    @Test func whatHasBegunIsFinished() {
        #expect(plan(["a": entry(until: 200, .removing)]).due == ["a"])
        #expect(plan(["a": entry(until: 200, .removing)]).nextDue == nil)
    }

    @Test(arguments: [TrashImageSpec.State.moving, .restoring, .init(rawValue: 99)])
    func whatIsOnItsWayIsLeftAlone(_ state: TrashImageSpec.State) {
        #expect(plan(["a": entry(until: 0, state)]).due.isEmpty)
        #expect(plan(["a": entry(until: 200, state)]).nextDue == nil)
    }
}
