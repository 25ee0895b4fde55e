import RBDImage
import RBDMirroring
import Testing

private func settings(
    features: ImageFeatures = [], snapshots: [ImageSnapshot] = [], metadata: [String: [UInt8]] = [:],
    limit: UInt64 = .max
) -> ImageStateDiff.Settings {
    .init(name: "vm", features: features, snapshotLimit: limit, snapshots: snapshots, metadata: metadata)
}

private func state(
    name: String = "vm", features: ImageFeatures = [], snapshots: [UInt64: ImageState.Snapshot] = [:],
    metadata: [String: [UInt8]] = [:], limit: UInt64 = .max
) -> ImageState {
    .init(name: name, features: features, snapshotLimit: limit, snapshots: snapshots, metadata: metadata)
}

private func named(_ name: String, protected: Bool = false) -> ImageState.Snapshot {
    .init(name: name, protection: protected ? .protected : .unprotected)
}

@Suite struct ImageStateDiffTests {
    @Test func equalSettingsNeedNothing() {
        let mine = settings(
            features: [.layering, .exclusiveLock, .objectMap, .fastDiff, .nonPrimary],
            snapshots: [user(41, "a", protected: true)], metadata: ["k": [1], ".rbd_mirror.x": [9]], limit: 7)
        let theirs = state(
            features: [.layering, .exclusiveLock, .objectMap], snapshots: [5: named("a", protected: true)],
            metadata: ["k": [1]], limit: 7)
        #expect(ImageStateDiff.steps(from: mine, to: theirs, snapshotIDs: [5: 41, 10: headSnapshotID]).isEmpty)
    }

    @Test func everythingInStockOrder() {
        let mine = settings(
            features: [.layering, .journaling, .exclusiveLock, .nonPrimary],
            snapshots: [user(41, "a", protected: true), user(42, "b"), user(43, "c", protected: true), user(44, "d")],
            metadata: ["gone": [1], "same": [2], "changed": [3]])
        let theirs = state(
            name: "vm2", features: [.layering, .exclusiveLock, .objectMap],
            snapshots: [1: named("a2"), 2: named("b", protected: true)],
            metadata: ["same": [2], "changed": [4], "new": [5]], limit: 9)
        #expect(ImageStateDiff.steps(from: mine, to: theirs, snapshotIDs: [1: 41, 2: 42, 3: 43]) == [
            .renameImage(to: "vm2"),
            .disableFeatures(.journaling), .enableFeatures([.objectMap, .fastDiff]),
            .changeMetadata(remove: ["gone"], set: ["changed": [4], "new": [5]]),
            .unprotect(41), .unprotect(43), .remove(43), .remove(44), .protect(42), .renameSnapshot(41, to: "a2"),
            .setSnapshotLimit(9),
        ])
    }

    @Test(arguments: [
        ([.layering, .objectMap, .fastDiff, .exclusiveLock], [.layering, .exclusiveLock], [.disableFeatures([.objectMap, .fastDiff])]),
        ([.layering, .deepFlatten], [.layering], [.disableFeatures(.deepFlatten)]),
        ([.layering], [.layering, .deepFlatten], []),
        ([.layering], [], []),
        ([], [.layering], []),
        ([.nonPrimary, .dataPool, .operations, .striping], [], []),
        ([], [.nonPrimary, .migrating, .dirtyCache], []),
    ] as [(ImageFeatures, ImageFeatures, [ImageStateDiff.Step])])
    func features(mine: ImageFeatures, theirs: ImageFeatures, expected: [ImageStateDiff.Step]) {
        #expect(ImageStateDiff.steps(from: settings(features: mine), to: state(features: theirs), snapshotIDs: [:]) == expected)
    }

    @Test func saysWhichFeaturesCannotFollow() {
        #expect(ImageStateDiff.unchangeableFeatures(from: [.layering, .nonPrimary], to: [.deepFlatten, .objectMap])
            == [.layering, .deepFlatten])
        #expect(ImageStateDiff.unchangeableFeatures(from: [.deepFlatten, .dataPool], to: []) == [])
    }

    @Test func internalKeysAreEachSidesOwn() {
        let mine = settings(metadata: [".rbd_mirror.b": [1], ".rbd_encryption_header": [2]])
        #expect(ImageStateDiff.steps(from: mine, to: state(metadata: [".rbd_mirror.a": [1]]), snapshotIDs: [:]).isEmpty)
        #expect(ImageStateDiff.steps(from: mine, to: state(metadata: [".rbd_encryption_new": [3]]), snapshotIDs: [:])
            == [.changeMetadata(remove: [".rbd_encryption_header"], set: [".rbd_encryption_new": [3]])])
    }

    @Test func swappedNames() {
        let mine = settings(snapshots: [user(41, "a"), user(42, "b")])
        let steps = ImageStateDiff.steps(
            from: mine, to: state(snapshots: [1: named("b"), 2: named("a")]), snapshotIDs: [1: 41, 2: 42])
        #expect(steps == [
            .renameSnapshot(42, to: ".rbd-mirror.renaming.42.0"), .renameSnapshot(41, to: "b"), .renameSnapshot(42, to: "a"),
        ])
    }

    /// A source may send any names, also ours.
    @Test func hostileNamesEnd() {
        let passing = ".rbd-mirror.renaming.42.0"
        let mine = settings(snapshots: [user(41, "a"), user(42, passing), user(43, "x")])
        for names in [[1: passing, 2: "a"], [1: "same", 2: "same", 3: "same"], [1: "", 2: ""]] as [[UInt64: String]] {
            let steps = ImageStateDiff.steps(
                from: mine, to: state(snapshots: names.mapValues { named($0) }), snapshotIDs: [1: 41, 2: 42, 3: 43])
            #expect(steps.count < 12)
        }
    }
}

/// Random lives of a source's snapshots, followed by a replica that refuses what a header refuses.
@Suite struct SnapshotFollowingTests {
    struct Replica {
        var snapshots: [ImageSnapshot] = []
        var nextID: UInt64 = 1000
        private func index(_ id: UInt64) throws -> Int {
            guard let index = snapshots.firstIndex(where: { $0.id == id }) else { throw Violation(description: "no \(id)") }
            return index
        }
        mutating func add(_ name: String, _ size: UInt64) throws -> UInt64 {
            guard !snapshots.contains(where: { $0.name == name }) else { throw Violation(description: "\(name) exists") }
            nextID += 1
            snapshots.append(user(nextID, name, size: size))
            return nextID
        }
        mutating func rename(_ id: UInt64, _ name: String) throws {
            guard !snapshots.contains(where: { $0.name == name }) else { throw Violation(description: "\(name) exists") }
            snapshots[try index(id)].name = name
        }
        mutating func remove(_ id: UInt64) throws {
            let index = try index(id)
            guard snapshots[index].protection == .unprotected else { throw Violation(description: "\(id) is protected") }
            snapshots.remove(at: index)
        }
        mutating func protect(_ id: UInt64, _ protection: SnapshotProtection) throws {
            snapshots[try index(id)].protection = protection
        }
    }

    @Test func theReplicaFollows() throws {
        for seed in UInt64(0)..<300 {
            do { try follow(seed) } catch { Issue.record("seed \(seed): \(error)"); return }
        }
    }

    private func follow(_ seed: UInt64) throws {
        var random = Seeded(state: seed)
        var source: [ImageSnapshot] = []
        var replica = Replica()
        var map: [UInt64: UInt64] = [:]
        var nextID: UInt64 = 1
        var start: UInt64?
        var localStart: UInt64?
        let names = ["a", "b", "c", "d", "e"]
        for _ in 0..<12 {
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let name = names.randomElement(using: &random)!
                let taken = source.contains { $0.name == name }
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where !taken:
                    source.append(user(nextID, name, size: UInt64.random(in: 1...3, using: &random)))
                    nextID += 1
                case 1 where !source.isEmpty: source.remove(at: Int.random(in: 0..<source.count, using: &random))
                case 2 where !source.isEmpty && !taken: source[Int.random(in: 0..<source.count, using: &random)].name = name
                case 3 where !source.isEmpty:
                    source[Int.random(in: 0..<source.count, using: &random)].protection = Bool.random(using: &random) ? .protected : .unprotected
                default: break
                }
            }
            let end = nextID
            nextID += 1
            let point = ImageState(name: "vm", features: [], snapshots: Dictionary(uniqueKeysWithValues: source.map {
                ($0.id, ImageState.Snapshot(name: $0.name, protection: $0.protection))
            }))
            // A pass may be cut short anywhere, twice, before one goes through.
            for attempt in 0..<3 {
                let cut = attempt < 2 ? Int.random(in: 0..<12, using: &random) : Int.max
                if let done = try pass(source, point, end, start, localStart, map, &replica, cut) {
                    map = done
                    break
                }
            }
            start = end
            localStart = replica.nextID + 1
            replica.nextID += 1
            let mine = Set(replica.snapshots.map { "\($0.name) \($0.size) \($0.protection.rawValue)" })
            let theirs = Set(source.map { "\($0.name) \($0.size) \($0.protection.rawValue)" })
            if mine != theirs { throw Violation(description: "replica \(mine), source \(theirs)") }
        }
    }

    private func pass(
        _ source: [ImageSnapshot], _ point: ImageState, _ end: UInt64, _ start: UInt64?, _ localStart: UInt64?,
        _ known: [UInt64: UInt64], _ replica: inout Replica, _ cut: Int
    ) throws -> [UInt64: UInt64]? {
        var left = cut
        func goesOn() -> Bool {
            left -= 1
            return left >= 0
        }
        let plan = SnapshotNameReconciler(
            remote: source, local: replica.snapshots, state: point, end: end, start: start, localStart: localStart,
            known: known).plan()
        guard plan.unavailable.isEmpty else { throw Violation(description: "cannot make \(plan.unavailable)") }
        var map = plan.snapshotIDs
        for step in plan.steps {
            guard goesOn() else { return nil }
            switch step {
            case .unprotect(let id): try replica.protect(id, .unprotected)
            case .remove(let id): try replica.remove(id)
            case .rename(let id, let name): try replica.rename(id, name)
            case .create(let source, let name, let size): map[source] = try replica.add(name, size)
            }
        }
        let settings = ImageStateDiff.Settings(name: "vm", features: [], snapshots: replica.snapshots)
        for step in ImageStateDiff.steps(from: settings, to: point, snapshotIDs: map) {
            guard goesOn() else { return nil }
            switch step {
            case .unprotect(let id): try replica.protect(id, .unprotected)
            case .protect(let id): try replica.protect(id, .protected)
            case .remove(let id): try replica.remove(id)
            case .renameSnapshot(let id, let name): try replica.rename(id, name)
            default: throw Violation(description: "unexpected \(step)")
            }
        }
        return map
    }
}
