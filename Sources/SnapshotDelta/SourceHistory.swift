internal import CephCore
public import RBDImage

/// Reads what the object maps of a source image say about a span of its history.
public struct SourceHistory: Sendable {
    public let source: SourceImage

    public init(_ source: SourceImage) { self.source = source }

    /// The deltas between two snapshots.
    ///
    /// - Parameters:
    ///   - start: The older snapshot; nil for the beginning of time.
    ///   - end: The newer snapshot, or `headSnapshotID`.
    /// - Returns: Nil when the maps cannot be trusted: no fast-diff, a flag says so, or one is missing or too short.
    public func delta(
        from start: UInt64?, to end: UInt64, for purpose: ObjectDeltaMap.Purpose = .copy
    ) async throws -> ObjectDeltaMap? {
        let header = source.header
        guard header.features.isSuperset(of: [.objectMap, .fastDiff]) else { return nil }
        var first: ObjectDeltaMap.Revision?
        if let start {
            guard case .found(let revision) = try await revision(start) else { return nil }
            first = revision
        }
        guard var delta = ObjectDeltaMap(start: first, for: purpose) else { return nil }
        // One map at a time: a large one takes 64 MB.
        first = nil
        // From the beginning of time a comparison asks nothing of what lies between.
        let between = start == nil && purpose == .comparison ? [] : header.snapshots.filter { $0.id > (start ?? 0) && $0.id < end }
        for snapshot in between {
            switch try await revision(snapshot.id) {
            case .found(let revision): guard delta.advance(to: revision, isLast: false) else { return nil }
            // What it alone knew was merged into the next map before its own was removed.
            case .missing where snapshot.isTrash: continue
            case .missing, .unusable: return nil
            }
        }
        guard case .found(let last) = try await revision(end), delta.advance(to: last, isLast: true) else { return nil }
        return delta
    }

    /// The objects that are untouched by the maps' account and have to be asked all the same, since a rollback may have changed them.
    ///
    /// - Parameters:
    ///   - delta: What ``delta(from:to:)`` said of the span.
    ///   - lost: Ids of snapshots that were there at `start` and are gone; `[0]` when they are not known.
    ///   - earlier: Spans that end at `start`, back to a point of which `lost` tells; whoever made a snapshot in them may have gone
    ///     back to it and removed it.
    public func suspects(
        in delta: ObjectDeltaMap, from start: UInt64?, to end: UInt64, lost: [UInt64], earlier: [ObjectDeltaMap]
    ) async throws -> ObjectSet {
        guard let start else { return ObjectSet() }
        var suspects = try await RollbackSearch(history: self, delta: delta, from: start, to: end, lost: lost).run()
        let clean = delta.clean
        for span in earlier { suspects.formUnion(span.touchedSet.intersection(clean)) }
        return suspects
    }

    enum Found {
        case found(ObjectDeltaMap.Revision)
        case missing
        /// Damaged, or marked as not to be trusted.
        case unusable
    }

    func revision(_ id: UInt64) async throws -> Found {
        let header = source.header
        let isHead = id == headSnapshotID
        guard let (size, flags) = isHead ? (header.size, header.flags) : header.snapshot(id).map({ ($0.size, $0.flags) }),
            flags.isEmpty
        else { return .unusable }
        do {
            let map = try await source.objectMap(of: isHead ? nil : id)
            return .found(.init(map: map, objectCount: Int(header.objectCount(forSize: size))))
        } catch let error as CephError {
            if error.isNotFound { return .missing }
            guard error.code == 74 || error.code == 22 else { throw error }
            return .unusable
        }
    }
}

extension ImageSnapshot {
    var isTrash: Bool { if case .trash = namespace { true } else { false } }
}
