public import CephCore

/// What became of one object in one revision.
public struct CopiedObject: Hashable, Sendable {
    public let number: UInt64
    /// For each revision in order: whether the object exists there; nil where it was not touched.
    public var exists: [Bool?]
    /// Bytes read from the source.
    public var bytesRead = 0
    /// Bytes written to the target; zero runs are not.
    public var bytesWritten = 0
}

/// Copies single objects from a source image to a target image through a chain of revisions.
///
/// Each object and revision is one read and one write operation. What the source no longer has is
/// removed only after ``SourceProof`` has shown that the source points are still there: a removed
/// snapshot reads exactly like a hole.
public struct ObjectCopier: Sendable {
    let revisions: [CopyRevision]
    let sourceName: @Sendable (UInt64) -> String
    let targetName: @Sendable (UInt64) -> String
    let objectSize: UInt64
    let finder: ExtentFinder
    let proof: SourceProof
    let memory: BufferPool
    /// The target image has never been written to.
    let targetIsFresh: Bool
    /// Objects below this number were brought through all revisions by somebody else; they are compared at most.
    let copiedBelow: UInt64
    /// Of a clone: gives the target an object that its source has at a point, and the target sees the parent's instead.
    let bringingBehind: (@Sendable (_ number: UInt64, _ point: UInt64) async throws -> Void)?

    public init(
        revisions: [CopyRevision], sourceName: @escaping @Sendable (UInt64) -> String,
        targetName: @escaping @Sendable (UInt64) -> String, objectSize: UInt64,
        finder: ExtentFinder = .init(), proof: SourceProof, memory: BufferPool, targetIsFresh: Bool, copiedBelow: UInt64 = 0,
        bringingBehind: (@Sendable (_ number: UInt64, _ point: UInt64) async throws -> Void)? = nil
    ) {
        self.bringingBehind = bringingBehind
        self.revisions = revisions
        self.sourceName = sourceName
        self.targetName = targetName
        self.objectSize = objectSize
        self.finder = finder
        self.proof = proof
        self.memory = memory
        self.targetIsFresh = targetIsFresh
        self.copiedBelow = copiedBelow
    }

    /// Brings one object of the target through all revisions, oldest first.
    public func copy(_ number: UInt64) async throws -> CopiedObject {
        var outcome = CopiedObject(number: number, exists: Array(repeating: nil, count: revisions.count))
        var history = ObjectHistory(name: sourceName(number))
        for (index, revision) in revisions.enumerated() {
            if revision.comparesTarget {
                outcome.exists[index] = try await equalize(number, with: revision, &outcome)
                continue
            }
            // To begin with an earlier revision would set HEAD back, and whoever goes on after a kill takes it for done.
            if number < copiedBelow {
                if revision.verdict(on: number) == .unknown { outcome.exists[index] = try await isThere(number, in: revision) }
                continue
            }
            switch revision.verdict(on: number) {
            case .untouched: continue
            case .removed: outcome.exists[index] = try await remove(number, in: revision)
            case .written, .suspected, .unknown:
                outcome.exists[index] = try await update(number, in: revision, &history, &outcome)
            }
        }
        return outcome
    }

    /// Whether a failure leaves a change of the target that may still be applied.
    func isUnansweredWrite(_ error: any Error) -> Bool {
        guard let error = error as? CephError, error.isTimeout, let target = revisions.first?.target else { return false }
        return error.subject.hasPrefix("\(target.cluster.name):")
    }

    /// Returns whether the object exists at the revision's end, nil when nothing had to be done.
    private func update(
        _ number: UInt64, in revision: CopyRevision, _ history: inout ObjectHistory, _ outcome: inout CopiedObject
    ) async throws -> Bool? {
        let change = try await look(at: &history, in: revision)
        guard change.existsAtEnd else { return try await disappear(number, in: revision) }
        if change.isUnchanged, revision.verdict(on: number) != .written { return nil }
        // An object that the map names and that did not change is touched all the same, as the source's was.
        return try await write(change, number, in: revision, baseIsExact: revision.baseIsExact, &outcome)
    }

    private func isThere(_ number: UInt64, in revision: CopyRevision) async throws -> Bool {
        let name = sourceName(number)
        return try await yieldingToCancellation { try await revision.source.exists(name) }
    }

    /// Gives the target object what the source's has, whatever it has now.
    ///
    /// Returns whether it exists; nil when nothing had to be done, and maps tell that it exists.
    private func equalize(
        _ number: UInt64, with revision: CopyRevision, _ outcome: inout CopiedObject
    ) async throws -> Bool? {
        guard number < revision.objectCount else { return try await remove(number, in: revision) }
        let target = ObjectVersion(name: targetName(number), pool: revision.target)
        let source = ObjectVersion(name: sourceName(number), pool: revision.source)
        let change = try await yieldingToCancellation { [finder, objectSize] in
            try await finder.change(from: target, to: source, objectSize)
        }
        guard change.existsAtEnd else { return change.existedAtStart ? try await disappear(number, in: revision) : false }
        if change.isUnchanged { return revision.verdict(on: number) == .unknown ? true : nil }
        return try await write(change, number, in: revision, baseIsExact: true, &outcome)
    }

    /// Reads what changed and writes it; returns whether the object is there.
    private func write(
        _ change: ObjectChange, _ number: UInt64, in revision: CopyRevision, baseIsExact: Bool, _ outcome: inout CopiedObject
    ) async throws -> Bool {
        let wanted = change.ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) }
        let reserved = try await memory.reserve(max(wanted, 4096))
        guard let data = try await read(sourceName(number), change, revision) else { return try await disappear(number, in: revision) }
        let isPatch = bringingBehind != nil && change.existedAtStart && revision.base != 0
        let plan = UpdatePlan(change: change, data: data, objectSize: objectSize, baseIsExact: baseIsExact, mustExist: isPatch)
        outcome.bytesRead += data.count
        outcome.bytesWritten += plan.bytesWritten
        do throws(CephError) { try await revision.target.apply(plan.update, to: targetName(number)) } catch {
            guard isPatch, error.isNotFound else { throw error }
            try await applyBehind(plan, number, revision)
        }
        reserved.release()
        return true
    }

    /// The source got the object behind its snapshots since the target was prepared: what was read of that tells of an object that
    /// the target has not.
    private func applyBehind(_ plan: UpdatePlan, _ number: UInt64, _ revision: CopyRevision) async throws {
        try await bringingBehind!(number, revision.base)
        try await revision.target.apply(plan.update, to: targetName(number))
    }

    /// Finds the extents; a cancelled copy does not wait for a silent source.
    private func look(at history: inout ObjectHistory, in revision: CopyRevision) async throws -> ObjectChange {
        guard revision.base != 0, !revision.readsWhole else { return .whole(objectSize: objectSize) }
        // Equal digests say nothing of a target that differs from the base.
        guard finder.method == .snapshotSets || revision.baseIsExact else { return .whole(objectSize: objectSize) }
        let known = history
        let (change, seen) = try await yieldingToCancellation { [finder, objectSize] in
            var history = known
            let change = try await finder.change(
                of: &history, from: revision.base, to: revision.end, in: revision.source, objectSize: objectSize)
            return (change, history)
        }
        history = seen
        return change
    }

    /// Nil when the object is not there.
    private func read(_ name: String, _ change: ObjectChange, _ revision: CopyRevision) async throws -> ObjectData? {
        do {
            return try await yieldingToCancellation { try await revision.source.data(of: name, in: change.ranges) }
        } catch let error as CephError where error.isNotFound {
            return nil
        }
    }

    private func disappear(_ number: UInt64, in revision: CopyRevision) async throws -> Bool {
        try await proof.prove()
        return try await remove(number, in: revision)
    }

    /// Returns whether the object is there, to hide the parent's.
    private func remove(_ number: UInt64, in revision: CopyRevision) async throws -> Bool {
        if number < revision.emptiedBelow {
            var update = ObjectUpdate()
            update.ensureExists()
            update.truncate(to: 0)
            try await revision.target.apply(update, to: targetName(number))
            return true
        }
        if targetIsFresh && revision.base == 0 { return false }
        try await revision.target.removeIfExists(targetName(number))
        return false
    }
}

extension CopyRevision {
    enum Verdict { case untouched, written, suspected, removed, unknown }

    func verdict(on number: UInt64) -> Verdict {
        guard let states else { return number < objectCount ? .unknown : .removed }
        guard number < UInt64(states.count) else { return .untouched }
        return switch states[Int(number)] {
        case .dataUpdated: .written
        case .holeUpdated: .removed
        default: suspects.contains(number) ? .suspected : .untouched
        }
    }
}
