internal import RBDImage

/// What has to happen to a replica's user snapshots before a sync: pure.
struct UserSnapshotPlan: Hashable {
    /// Local snapshots whose source is gone, to be removed.
    var removals: [UInt64] = []
    /// Local snapshots with another name on the source.
    var renames: [Rename] = []
    /// Source snapshots to be made here, oldest first.
    var creations: [UInt64] = []
    /// Source id to local id of those that are there already.
    var mapping: [UInt64: UInt64] = [:]

    struct Rename: Hashable {
        var snapshot: UInt64
        var name: String
    }

    /// - Parameters:
    ///   - known: The map that the newest complete local mirror snapshot carries.
    ///   - base: The source point the replica stands at; 0 at the beginning.
    ///   - end: The source point to reach.
    init(local: ImageHeader, source: ImageHeader, state: ImageState, known: [UInt64: UInt64], base: UInt64, end: UInt64) {
        let sources = source.userSnapshots.filter { $0.id <= end }
        let locals = local.userSnapshots
        for snapshot in sources {
            if let id = known[snapshot.id], locals.contains(where: { $0.id == id }) {
                mapping[snapshot.id] = id
            } else if known[snapshot.id] == nil, let twin = locals.first(where: { $0.name == snapshot.name }),
                !known.values.contains(twin.id), snapshot.id <= base || twin.size == snapshot.size && known.isEmpty && base != 0 {
                // After a change of roles there is no map: names are what both sides share.
                mapping[snapshot.id] = twin.id
            }
        }
        let kept = Set(mapping.values)
        removals = locals.map(\.id).filter { !kept.contains($0) }
        for (source, id) in mapping {
            let wanted = state.snapshots[source]?.name ?? ""
            if !wanted.isEmpty, let present = local.snapshot(id), present.name != wanted {
                renames.append(Rename(snapshot: id, name: wanted))
            }
        }
        renames.sort { $0.snapshot < $1.snapshot }
        creations = sources.map(\.id).filter { mapping[$0] == nil && $0 > base }
    }
}
