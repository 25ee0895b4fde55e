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
    ///   - end: The newer snapshot.
    /// - Returns: Nil when the maps cannot be trusted: no fast-diff, a flag says so, or one is missing or too short.
    public func delta(from start: UInt64?, to end: UInt64) async throws -> ObjectDeltaMap? {
        let header = source.header
        guard header.features.isSuperset(of: [.objectMap, .fastDiff]), header.snapshot(end) != nil else { return nil }
        var first: ObjectDeltaMap.Revision?
        if let start {
            guard case .found(let revision) = try await revision(start) else { return nil }
            first = revision
        }
        guard var delta = ObjectDeltaMap(start: first) else { return nil }
        // One map at a time: a large one takes 64 MB.
        first = nil
        for snapshot in header.snapshots where snapshot.id > (start ?? 0) && snapshot.id <= end {
            let isLast = snapshot.id == end
            switch try await revision(snapshot.id) {
            case .found(let revision): guard delta.advance(to: revision, isLast: isLast) else { return nil }
            // What it alone knew was merged into the next map before its own was removed.
            case .missing where !isLast && snapshot.isTrash: continue
            case .missing, .unusable: return nil
            }
        }
        return delta
    }

    private enum Found {
        case found(ObjectDeltaMap.Revision)
        case missing
        /// Damaged, or marked as not to be trusted.
        case unusable
    }

    private func revision(_ id: UInt64) async throws -> Found {
        guard let snapshot = source.header.snapshot(id), snapshot.flags.isEmpty else { return .unusable }
        do {
            let map = try await source.objectMap(of: id)
            return .found(.init(map: map, objectCount: Int(source.header.objectCount(forSize: snapshot.size))))
        } catch let error as CephError {
            if error.isNotFound { return .missing }
            guard error.code == 74 || error.code == 22 else { throw error }
            return .unusable
        }
    }
}

extension ImageSnapshot {
    fileprivate var isTrash: Bool { if case .trash = namespace { true } else { false } }
}
