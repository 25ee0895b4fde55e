public import CephCore

/// Gives a clone the objects that its source got behind its snapshots.
///
/// Before librbd first writes to an object that a clone does not have yet, it copies the parent's bytes into it, in such a way
/// that all snapshots have the object too. What is read stays the same, but it does not come from the parent any more.
/// A difference between two points is only true of a target that has the object as well: so this comes before.
public struct CopyBehind: Sendable {
    /// The source's data pool, seen at the point that both sides have.
    let source: Pool
    /// The target's data pool, without any snapshot in its context, and seen at that point.
    let (target, targetAtPoint): (Pool, Pool)
    let sourceName: @Sendable (UInt64) -> String
    let targetName: @Sendable (UInt64) -> String
    let objectSize: UInt64
    let memory: BufferPool
    let limits: CopyLimits

    public init(
        source: Pool, target: Pool, targetAtPoint: Pool, sourceName: @escaping @Sendable (UInt64) -> String,
        targetName: @escaping @Sendable (UInt64) -> String, objectSize: UInt64, memory: BufferPool, limits: CopyLimits
    ) {
        self.source = source
        self.target = target
        self.targetAtPoint = targetAtPoint
        self.sourceName = sourceName
        self.targetName = targetName
        self.objectSize = objectSize
        self.memory = memory
        self.limits = limits
    }

    /// Copies whole objects that the source has at the point and the target has not.
    ///
    /// Can be repeated after an interruption, as long as nothing else was written to the target.
    /// - Parameters:
    ///   - objects: Those that may be missing.
    ///   - isKnownMissing: Each of them is missing; else it is asked for.
    /// - Returns: Those that were copied, ascending.
    public func run(_ objects: some Sequence<UInt64>, isKnownMissing: Bool) async throws -> [UInt64] {
        var copied: [UInt64] = []
        try await CopyPipeline(width: limits.objectsInFlight).run(objects) { number in
            try await copy(number, isKnownMissing: isKnownMissing) ? number : nil
        } finished: { number, _ in
            if let number { copied.append(number) }
        }
        return copied.sorted()
    }

    private func copy(_ number: UInt64, isKnownMissing: Bool) async throws -> Bool {
        if !isKnownMissing, try await targetAtPoint.exists(targetName(number)) { return false }
        let reserved = try await memory.reserve(Int(objectSize))
        guard let data = try await read(sourceName(number)) else { return false }
        let plan = UpdatePlan(change: .whole(objectSize: objectSize), data: data, objectSize: objectSize)
        try await target.apply(plan.update, to: targetName(number))
        reserved.release()
        return true
    }

    private func read(_ name: String) async throws -> ObjectData? {
        do {
            return try await yieldingToCancellation { [source, objectSize] in try await source.data(of: name, in: [0..<objectSize]) }
        } catch let error as CephError where error.isNotFound {
            return nil
        }
    }
}
