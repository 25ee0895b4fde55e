internal import CephCore
internal import RBDImage

/// How far a copy has come.
public struct CopyProgress: Hashable, Sendable {
    public var objectsDone = 0
    /// Objects to look at, those of an earlier attempt included.
    public var objectsTotal = 0
    /// From the source.
    public var bytesRead: UInt64 = 0
    /// To the target; zero runs are not.
    public var bytesWritten: UInt64 = 0
    /// The last object of an unbroken run of finished ones; nil before the first.
    public var lastCopied: UInt64?
}

/// Limits of one image's copy.
public struct CopyLimits: Hashable, Sendable {
    /// Objects in flight.
    public var objectsInFlight: Int

    public init(objectsInFlight: Int = 16) { self.objectsInFlight = objectsInFlight }
}

/// Copies what changed in an image through a chain of revisions, many objects at once.
public struct ImageCopy: Sendable {
    public let copier: ObjectCopier
    public let limits: CopyLimits

    public init(copier: ObjectCopier, limits: CopyLimits = .init()) {
        self.copier = copier
        self.limits = limits
    }

    /// The objects to look at, ascending.
    public var objects: [UInt64] {
        let all = copier.revisions
        if all.contains(where: { $0.states == nil }) {
            return Array(0..<all.map { max($0.objectCount, $0.objectCountBefore, UInt64($0.states?.count ?? 0)) }.max()!)
        }
        var objects = ObjectSet()
        for revision in all {
            objects.formUnion(revision.states!.touchedSet)
            objects.formUnion(revision.suspects)
        }
        return Array(objects.members)
    }

    /// Copies all objects from `first` on.
    ///
    /// - Parameters:
    ///   - first: Objects before it were copied by an earlier attempt.
    ///   - onBegun: Called with a last copied object above 0 before any object beyond the first two is touched. For targets where 0
    ///     stands for a copy that has not begun.
    ///   - onObject: Called with each object's outcome and the progress so far; slow calls hold the copy up.
    /// - Throws: The first failure, or a write that was not answered, which may still be applied; cancellation ends the copy after
    ///   the operations in flight.
    public func run(
        from first: UInt64 = 0, onBegun: ((_ lastCopied: UInt64) async throws -> Void)? = nil,
        onObject: (CopiedObject, CopyProgress) async throws -> Void
    ) async throws -> CopyProgress {
        let objects = objects
        let start = objects.firstIndex { $0 >= first } ?? objects.count
        var progress = CopyProgress(objectsDone: start, objectsTotal: objects.count)
        let copier = copier
        func run(_ part: ArraySlice<UInt64>) async throws {
            try await CopyPipeline(width: limits.objectsInFlight).run(part) { number in
                try await copier.copy(number)
            } outranks: { later, earlier in
                earlier is CancellationError || copier.isUnansweredWrite(later) && !copier.isUnansweredWrite(earlier)
            } finished: { outcome, mark in
                progress.objectsDone += 1
                progress.bytesRead += UInt64(outcome.bytesRead)
                progress.bytesWritten += UInt64(outcome.bytesWritten)
                progress.lastCopied = mark
                try await onObject(outcome, progress)
            }
        }
        guard let onBegun else {
            try await run(objects[start...])
            return progress
        }
        let lead = objects[start...].prefix { $0 < 2 }
        try await run(lead)
        if lead.endIndex < objects.endIndex {
            try await onBegun(objects[lead.endIndex] - 1)
            try await run(objects[lead.endIndex...])
        }
        return progress
    }
}
