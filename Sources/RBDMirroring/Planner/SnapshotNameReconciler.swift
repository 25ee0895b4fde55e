public import RBDImage

/// Brings a replica's user snapshots in line with the source's, before a sync copies data.
///
/// Snapshots are matched by the id map of the last complete mirror snapshot, never by a name that can be
/// used again. Only what the new point adds is made; what the source removed goes at the end of the sync
/// (``ImageStateDiff``), except where it is in the way of a name.
public struct SnapshotNameReconciler: Sendable {
    /// One step on the replica.
    public enum Step: Hashable, Sendable {
        /// Local snapshot id.
        case unprotect(UInt64)
        /// Local snapshot id.
        case remove(UInt64)
        /// Local snapshot id.
        case rename(UInt64, to: String)
        /// Set HEAD to that size and add a snapshot for this source snapshot; its new id goes into the id map.
        case create(source: UInt64, name: String, size: UInt64)
    }

    /// The steps and the id map they start from.
    public struct Plan: Hashable, Sendable {
        /// In order; the source snapshots to create ascend.
        public var steps: [Step]
        /// Source id to local id, for all user snapshots that are here already.
        public var snapshotIDs: [UInt64: UInt64]
        /// Source snapshots that cannot be made: their data is older than the common point and not here.
        public var unavailable: [UInt64]
    }

    /// Source header's snapshots; those that are no user snapshots are passed over.
    public var remote: [ImageSnapshot]
    /// Replica's snapshots; likewise.
    public var local: [ImageSnapshot]
    /// Image state of the point to sync: the names that were valid then.
    public var state: ImageState
    /// The point to sync.
    public var end: UInt64
    /// The common source point; nil copies everything.
    public var start: UInt64?
    /// The local mirror snapshot that stands for it; nil when there is none.
    public var localStart: UInt64?
    /// The id map of that snapshot, and of an unfinished one that is being replaced.
    public var known: [UInt64: UInt64]
    /// Whether that snapshot is our own demotion, which has no id map: what is older is matched by name.
    public var matchesOlderByName: Bool

    public init(
        remote: [ImageSnapshot], local: [ImageSnapshot], state: ImageState, end: UInt64, start: UInt64?,
        localStart: UInt64?, known: [UInt64: UInt64], matchesOlderByName: Bool = false
    ) {
        self.remote = remote
        self.local = local
        self.state = state
        self.end = end
        self.start = start
        self.localStart = localStart
        self.known = known
        self.matchesOlderByName = matchesOlderByName
    }

    /// Works out the steps. Pure; repeated after an interruption it gives what is left.
    public func plan() -> Plan {
        let wanted = remote.filter { $0.isUser && $0.id < end }.sorted { $0.id < $1.id }
        let (map, missing) = match(wanted)
        let isOlder = { (id: UInt64) in self.start.map { id < $0 } ?? false }
        let toCreate = missing.filter { !isOlder($0.id) }
        let creations = toCreate.map { Step.create(source: $0.id, name: name(of: $0), size: $0.size) }
        return Plan(
            steps: clearing(for: toCreate, map) + creations, snapshotIDs: map,
            unavailable: missing.filter { isOlder($0.id) }.map(\.id))
    }

    private func name(of source: ImageSnapshot) -> String { state.snapshots[source.id]?.name ?? source.name }

    /// Pairs source snapshots with local ones, and tells which have none.
    private func match(_ wanted: [ImageSnapshot]) -> (map: [UInt64: UInt64], missing: [ImageSnapshot]) {
        var free = Dictionary(local.filter(\.isUser).map { ($0.id, $0) }) { a, _ in a }
        var map: [UInt64: UInt64] = [:]
        for source in wanted {
            if let id = known[source.id], free.removeValue(forKey: id) != nil { map[source.id] = id }
        }
        // What was made for another source snapshot may hold its data already.
        for id in known.values { free[id] = nil }
        var missing: [ImageSnapshot] = []
        for source in wanted where map[source.id] == nil {
            let twin = free.values.filter { mayStand($0, for: source) }.min { $0.id < $1.id }
            if let twin {
                map[source.id] = twin.id
                free[twin.id] = nil
            } else {
                missing.append(source)
            }
        }
        return (map, missing)
    }

    /// Whether an unmapped local snapshot is this source snapshot: made by a pass that was interrupted,
    /// or, after a change of roles, the one both sides have had since before.
    private func mayStand(_ local: ImageSnapshot, for source: ImageSnapshot) -> Bool {
        guard local.size == source.size else { return false }
        let isOlder = start.map { source.id < $0 } ?? false
        let wasHere = localStart.map { local.id < $0 } ?? false
        guard isOlder == wasHere else { return false }
        guard !isOlder || matchesOlderByName else { return false }
        return local.name == name(of: source) || local.name == source.name
    }

    /// Frees the names of the snapshots to create.
    ///
    /// Holders that are gone on the source are removed, holders that were renamed there are renamed;
    /// leftovers of an interrupted pass that fit nothing are removed whatever their name.
    private func clearing(for toCreate: [ImageSnapshot], _ map: [UInt64: UInt64]) -> [Step] {
        let needed = Set(toCreate.map(name(of:)))
        let sourceOf = Dictionary(map.map { ($1, $0) }) { a, _ in a }
        var steps: [Step] = []
        var renames: [UInt64: String] = [:]
        for snapshot in local.filter(\.isUser).sorted(by: { $0.id < $1.id }) {
            if let source = sourceOf[snapshot.id] {
                if needed.contains(snapshot.name), let name = state.snapshots[source]?.name, name != snapshot.name {
                    renames[snapshot.id] = name
                }
            } else if needed.contains(snapshot.name) || snapshot.id > (localStart ?? 0) {
                if snapshot.protection != .unprotected { steps.append(.unprotect(snapshot.id)) }
                steps.append(.remove(snapshot.id))
            }
        }
        let removed = Set(steps.compactMap { if case .remove(let id) = $0 { id } else { nil } })
        let stay = local.filter { $0.isUser && !removed.contains($0.id) }
        return steps + orderedRenames(of: stay, to: renames).map { .rename($0.id, to: $0.name) }
    }
}
