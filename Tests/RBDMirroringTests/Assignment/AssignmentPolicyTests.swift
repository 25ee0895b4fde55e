import RBDMirroring
import Testing

@Suite struct AssignmentPolicyTests {
    private typealias Kind = ImageMapPolicy.Action.Kind

    private func policy(
        live: Set<String> = [], awaited: Set<String> = [], map: [String: String] = [:], age: Duration = .seconds(1000),
        spread: ImageMapPolicy.Spread = .even
    ) -> ImageMapPolicy {
        ImageMapPolicy(
            own: "1", live: live, awaited: awaited, map: map.mapValues { .init(instance: $0, age: age, data: [7]) },
            settings: .init(spread: spread), at: .zero)
    }

    /// Performs everything at once and well; returns what was done, as text in order for each image.
    private func settle(_ policy: inout ImageMapPolicy, _ actions: [ImageMapPolicy.Action], at now: Duration = .zero) -> [String: [String]] {
        var done: [String: [String]] = [:]
        var queue = actions
        while let action = queue.first {
            queue.removeFirst()
            done[action.globalID, default: []].append(text(action.kind))
            queue += policy.completed(action, success: true, at: now)
        }
        return done
    }

    private func text(_ kind: ImageMapPolicy.Action.Kind) -> String {
        switch kind {
        case .updateMap(let instance, _): "map \(instance)"
        case .removeMap: "unmap"
        case .acquire(let instance): "acquire \(instance)"
        case .release(let instance): "release \(instance)"
        }
    }

    @Test func aNewImageIsMappedAndAcquired() {
        var policy = policy()
        let actions = policy.imagesChanged(local: [], remote: ["a"], at: .zero)
        #expect(settle(&policy, actions) == ["a": ["map 1", "acquire 1"]])
        #expect(policy.holder(of: "a") == "1" && policy.count(of: "1") == 1)
        #expect(policy.imagesChanged(local: ["a"], remote: ["a"], at: .zero) == [])
    }

    @Test func anImageThatIsNowhereIsReleasedAndUnmapped() {
        var policy = policy()
        _ = settle(&policy, policy.imagesChanged(local: ["a", "b"], remote: [], at: .zero))
        let actions = policy.imagesChanged(local: ["b"], remote: [], at: .zero)
        #expect(settle(&policy, actions) == ["a": ["release 1", "unmap"]])
        #expect(policy.count(of: "1") == 1 && policy.holder(of: "a") == nil)
    }

    @Test func absenceMustBeKnown() {
        var policy = policy(map: ["a": "1"])
        #expect(settle(&policy, policy.start(at: .zero)) == ["a": ["acquire 1"]], "a new leader begins with what is on disk")
        #expect(policy.imagesChanged(local: [], remote: nil, at: .zero) == [])
        #expect(policy.imagesChanged(local: nil, remote: [], at: .zero) == [])
        #expect(settle(&policy, policy.imagesChanged(local: [], remote: [], at: .zero)) == ["a": ["release 1", "unmap"]])
    }

    @Test func imagesAreSpreadEvenly() {
        var policy = policy(live: ["2", "3"])
        let images = Set((0..<9).map { "\($0)" })
        _ = settle(&policy, policy.imagesChanged(local: [], remote: images, at: .zero))
        #expect(["1", "2", "3"].map { policy.count(of: $0) } == [3, 3, 3])
    }

    @Test func aNewDaemonGetsItsShare() {
        var policy = policy(map: ["a": "1", "b": "1", "c": "1", "d": "1"])
        _ = settle(&policy, policy.start(at: .zero))
        let done = settle(&policy, policy.added(["2"], at: .zero))
        #expect(Set(done.values) == [["release 1", "map 2", "acquire 2"]] && done.count == 2)
        #expect(policy.count(of: "1") == 2 && policy.count(of: "2") == 2)
    }

    @Test func imagesAreNotMovedTooOften() {
        var policy = policy(map: ["a": "1", "b": "1", "c": "1", "d": "1"], age: .seconds(100))
        _ = settle(&policy, policy.start(at: .zero))
        #expect(policy.added(["2"], at: .seconds(5)) == [])
        #expect(policy.deadline == .seconds(200), "then the first may move")
        #expect(settle(&policy, policy.tick(at: .seconds(200)), at: .seconds(200)).count == 2)
        #expect(settle(&policy, policy.removed(["2"], at: .seconds(201)), at: .seconds(201)).count == 2, "but away from the dead at once")
    }

    @Test func theDataIsKept() {
        var policy = policy(map: ["a": "9"])
        let first = policy.start(at: .zero)
        #expect(first.map(\.kind) == [.updateMap(instance: "1", data: [7])])
    }

    @Test func aDaemonNotHeardOfIsLeftAlone() {
        var policy = policy(awaited: ["2"], map: ["a": "2", "b": "1", "c": "2"])
        #expect(settle(&policy, policy.start(at: .zero)) == ["b": ["acquire 1"]])
        #expect(policy.imagesChanged(local: [], remote: ["b", "c"], at: .zero) == [])
        #expect(policy.holder(of: "c") == nil)
        #expect(settle(&policy, policy.added(["2"], at: .seconds(3))) == ["a": ["release 2", "unmap"], "c": ["acquire 2"]])
    }

    @Test func theImagesOfADeadDaemonMoveWithoutARelease() {
        var policy = policy(awaited: ["2"], map: ["a": "2", "b": "2"])
        _ = policy.start(at: .zero)
        _ = policy.imagesChanged(local: [], remote: ["a"], at: .zero)
        #expect(settle(&policy, policy.removed(["2"], at: .seconds(30))) == ["a": ["map 1", "acquire 1"], "b": ["unmap"]])
    }

    @Test func allForTheLeader() {
        var policy = policy(live: ["2"], map: ["a": "2", "b": "1"], spread: .leaderOnly)
        #expect(settle(&policy, policy.start(at: .zero)) == ["a": ["release 2", "map 1", "acquire 1"], "b": ["acquire 1"]])
        #expect(policy.added(["3"], at: .zero) == [])
        #expect(settle(&policy, policy.imagesChanged(local: [], remote: ["a", "b", "c"], at: .zero)) == ["c": ["map 1", "acquire 1"]])
    }

    @Test func failuresAreRetriedAfterAMoment() {
        var policy = policy(live: ["2"], map: ["a": "2"])
        let acquire = policy.start(at: .zero)
        #expect(acquire.map(\.kind) == [.acquire(instance: "2")])
        #expect(policy.completed(acquire[0], success: false, at: .seconds(5)) == [])
        #expect(policy.deadline == .seconds(6))
        #expect(policy.imagesChanged(local: [], remote: ["a"], at: .milliseconds(5500)) == [])
        #expect(policy.tick(at: .seconds(6)).map(\.kind) == [.acquire(instance: "2")])
        #expect(policy.completed(acquire[0], success: true, at: .seconds(6)) == [], "overtaken")
        #expect(policy.removed(["2"], at: .seconds(7)) == [], "one at a time")
    }

    /// A write that failed may have been applied.
    @Test func aMapThatMayBeWrongIsWrittenAgain() {
        var policy = policy(live: ["2"], map: ["a": "1"])
        _ = settle(&policy, policy.start(at: .zero))
        var actions = policy.imagesChanged(local: [], remote: [], at: .zero)
        actions = policy.completed(actions[0], success: true, at: .zero)
        #expect(actions.map(\.kind) == [.removeMap])
        _ = policy.completed(actions[0], success: false, at: .zero)
        #expect(policy.imagesChanged(local: [], remote: ["a"], at: .seconds(2)).map(\.kind) == [.updateMap(instance: "1", data: [7])])
    }

    @Test func anUnansweredAcquireMayHaveBeenHeard() {
        var policy = policy(live: ["2"], map: ["a": "2"])
        let acquire = policy.start(at: .zero)
        _ = policy.completed(acquire[0], success: false, at: .zero)
        #expect(policy.imagesChanged(local: [], remote: [], at: .seconds(2)).map(\.kind) == [.release(instance: "2")])
    }

    @Test func anImageThatComesBackIsServedAgain() {
        var policy = policy()
        _ = settle(&policy, policy.imagesChanged(local: [], remote: ["a"], at: .zero))
        let release = policy.imagesChanged(local: [], remote: [], at: .zero)
        #expect(policy.imagesChanged(local: [], remote: ["a"], at: .zero) == [])
        #expect(settle(&policy, release) == ["a": ["release 1", "acquire 1"]])
    }

    @Test func balanceIsRestoredAfterATimeIfAsked() {
        var policy = ImageMapPolicy(
            own: "1", live: ["2"], awaited: [], map: [:], settings: .init(migrationThrottle: .zero, rebalanceTimeout: .seconds(60)), at: .zero)
        let images = ["a", "b", "c", "d", "e", "f"]
        _ = settle(&policy, policy.imagesChanged(local: [], remote: Set(images), at: .zero))
        let left = Set(images.filter { policy.holder(of: $0) == "2" })
        _ = settle(&policy, policy.imagesChanged(local: [], remote: left, at: .seconds(1)))
        #expect(policy.count(of: "2") == 3 && policy.deadline == .seconds(61))
        #expect(settle(&policy, policy.tick(at: .seconds(61))).count == 1)
        #expect(policy.count(of: "1") == 1 && policy.count(of: "2") == 2)
    }
}
