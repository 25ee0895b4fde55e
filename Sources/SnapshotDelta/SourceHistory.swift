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
        guard header.features.isSuperset(of: [.objectMap, .fastDiff]) else { return nil }
        var first: ObjectDeltaMap.Revision?
        if let start {
            guard let revision = try await revision(start) else { return nil }
            first = revision
        }
        var rest: [ObjectDeltaMap.Revision] = []
        for snapshot in header.snapshots where snapshot.id > (start ?? 0) && snapshot.id <= end {
            guard !snapshot.flags.contains(.fastDiffInvalid) else { return nil }
            if let revision = try await revision(snapshot.id) {
                rest.append(revision)
            } else if snapshot.id == end {
                return nil
            }
        }
        return ObjectDeltaMap(start: first, rest: rest)
    }

    /// Nil when the snapshot has no usable map.
    private func revision(_ id: UInt64) async throws -> ObjectDeltaMap.Revision? {
        guard let snapshot = source.header.snapshot(id), snapshot.flags.isEmpty else { return nil }
        do throws(CephError) {
            let map = try await source.pool.objectMap(ObjectNames.objectMap(source.header.id, snapshot: id))
            return ObjectDeltaMap.Revision(map: map, objectCount: Int(source.header.objectCount(forSize: snapshot.size)))
        } catch {
            // Missing or damaged: every object is asked instead.
            guard error.isNotFound || error.code == 74 || error.code == 22 else { throw error }
            return nil
        }
    }
}
