import RBDImage
import RBDMirroring
import Testing

private func state(_ names: [UInt64: String]) -> ImageState {
    ImageState(name: "vm", features: [], snapshots: names.mapValues { .init(name: $0, protection: .unprotected) })
}

private func reconcile(
    remote: [ImageSnapshot], local: [ImageSnapshot], names: [UInt64: String]? = nil, end: UInt64 = 100,
    start: UInt64? = 10, localStart: UInt64? = 50, known: [UInt64: UInt64] = [:], byName: Bool = false
) -> SnapshotNameReconciler.Plan {
    let current = Dictionary(uniqueKeysWithValues: remote.map { ($0.id, $0.name) })
    return SnapshotNameReconciler(
        remote: remote, local: local, state: state(names ?? current), end: end, start: start, localStart: localStart,
        known: known, matchesOlderByName: byName).plan()
}

@Suite struct SnapshotNameReconcilerTests {
    @Test func makesWhatIsNewInOrderAndKeepsTheRest() {
        let plan = reconcile(
            remote: [user(30, "c", size: 8), user(20, "b", size: 4), user(5, "a"), primary(10), user(120, "later")],
            local: [user(41, "a"), copy(50, of: 10)], known: [5: 41, 10: headSnapshotID])
        #expect(plan.steps == [.create(source: 20, name: "b", size: 4), .create(source: 30, name: "c", size: 8)])
        #expect(plan.snapshotIDs == [5: 41])
        #expect(plan.unavailable.isEmpty)
    }

    @Test func nothingToDoWhenAllIsMapped() {
        let plan = reconcile(remote: [user(5, "a")], local: [user(41, "a")], known: [5: 41])
        #expect(plan.steps.isEmpty && plan.snapshotIDs == [5: 41])
    }

    @Test func firstSyncMakesAll() {
        let plan = reconcile(remote: [user(5, "a"), user(6, "b")], local: [], start: nil, localStart: nil)
        #expect(plan.steps == [.create(source: 5, name: "a", size: 4 << 20), .create(source: 6, name: "b", size: 4 << 20)])
    }

    @Test func usesTheNamesOfThePointAndNotOfToday() {
        let plan = reconcile(remote: [user(20, "renamed since")], local: [], names: [20: "b"])
        #expect(plan.steps == [.create(source: 20, name: "b", size: 4 << 20)])
    }

    @Test func goneSnapshotsStayUntilTheEndUnlessTheirNameIsNeeded() {
        let local = [user(41, "a"), user(42, "b", protected: true)]
        #expect(reconcile(remote: [user(20, "c")], local: local, known: [1: 41, 2: 42]).steps
            == [.create(source: 20, name: "c", size: 4 << 20)])
        #expect(reconcile(remote: [user(20, "b")], local: local, known: [1: 41, 2: 42]).steps
            == [.unprotect(42), .remove(42), .create(source: 20, name: "b", size: 4 << 20)])
    }

    @Test func aRenamedSnapshotMakesRoomForItsNamesake() {
        let plan = reconcile(
            remote: [user(5, "old"), user(20, "a")], local: [user(41, "a")], known: [5: 41])
        #expect(plan.steps == [.rename(41, to: "old"), .create(source: 20, name: "a", size: 4 << 20)])
    }

    @Test func namesInACircleGoThroughAPassingName() throws {
        let plan = reconcile(
            remote: [user(5, "b"), user(6, "c"), user(20, "a")], local: [user(41, "a"), user(42, "b"), user(43, "c")],
            known: [5: 41, 6: 42])
        // 41 wants b, which 42 holds; 42 is not in the way of a new name and keeps it for now: it gets out of the way.
        var names = [41: "a", 42: "b", 43: "c"] as [UInt64: String]
        for step in plan.steps {
            if case .rename(let id, let name) = step {
                #expect(!names.values.contains(name))
                names[id] = name
            }
        }
        #expect(names[41] == "b")
        #expect(plan.steps.last == .create(source: 20, name: "a", size: 4 << 20))
    }

    @Test func leftoversOfAnInterruptedPassAreTakenUp() {
        let plan = reconcile(
            remote: [user(20, "b", size: 4), user(30, "c", size: 8)],
            local: [user(61, "b", size: 4), user(62, "c", size: 7), user(63, "gone")])
        #expect(plan.snapshotIDs == [20: 61])
        #expect(plan.steps == [.remove(62), .remove(63), .create(source: 30, name: "c", size: 8)])
    }

    @Test func olderOnesAreMatchedByNameOnlyAfterAChangeOfRoles() {
        let remote = [user(5, "a"), user(6, "new in between"), user(20, "b")]
        let local = [user(41, "a"), user(42, "b")]
        let swapped = reconcile(remote: remote, local: local, byName: true)
        #expect(swapped.snapshotIDs == [5: 41])
        #expect(swapped.unavailable == [6])
        // The old b is another snapshot than the new one.
        #expect(swapped.steps == [.remove(42), .create(source: 20, name: "b", size: 4 << 20)])
        let plain = reconcile(remote: remote, local: local)
        #expect(plain.snapshotIDs.isEmpty && plain.unavailable == [5, 6])
    }

    @Test func whatWasMadeForAnotherSnapshotIsNotTakenUp() {
        let plan = reconcile(remote: [user(21, "b")], local: [user(61, "b")], known: [20: 61])
        #expect(plan.steps == [.remove(61), .create(source: 21, name: "b", size: 4 << 20)] && plan.snapshotIDs.isEmpty)
    }

    @Test func aMappingToASnapshotThatIsGoneCountsForNothing() {
        let plan = reconcile(remote: [user(20, "b")], local: [], known: [20: 61])
        #expect(plan.steps == [.create(source: 20, name: "b", size: 4 << 20)] && plan.snapshotIDs.isEmpty)
    }
}
