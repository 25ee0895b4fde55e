internal import CephCore
internal import RBDImage

/// Finds objects that the maps of a source call untouched and that a rollback has changed.
///
/// librbd gives HEAD the map of the snapshot that it rolls back to, as it is: what was written after that snapshot and is undone
/// now counts as clean. Objects that were not written to between the snapshot and the older point of a span cannot have been
/// changed by it; of the others a few are asked for each snapshot that one may have gone back to, since a rollback touches all.
struct RollbackSearch {
    let history: SourceHistory
    /// Between the two points.
    let delta: ObjectDeltaMap
    let from: UInt64
    let to: UInt64
    /// Snapshots that were there at the older point and are not any more, by their ids.
    let lost: [UInt64]

    /// Witnesses for each snapshot: more than librbd rolls back at a time, for one that was interrupted.
    private static let witnesses = 16

    private var header: ImageHeader { history.source.header }

    /// Returns the objects that have to be asked.
    func run() async throws -> ObjectSet {
        let clean = delta.clean
        var suspects = ObjectSet()
        let targets = header.snapshots.filter { $0.id < from && $0.mirror == nil }.map(\.id)
        guard var lowest = (targets + lost).min(), !clean.isEmpty else { return suspects }
        if let oldest = lost.min() { lowest = min(lowest, oldest) }
        var written = ObjectSet()
        var seen: [UInt64: Trace] = [:]
        for snapshot in header.snapshots.reversed() where snapshot.id <= from {
            if let oldest = lost.min(), snapshot.id < oldest { suspects.formUnion(written.intersection(clean)) }
            guard snapshot.id >= lowest else { break }
            if targets.contains(snapshot.id) {
                let risk = written.intersection(clean)
                guard Pool.usesNative else {
                    suspects.formUnion(risk)
                    continue
                }
                if try await wasRolledBack(to: snapshot.id, risk, &seen) { return clean }
            }
            guard snapshot.id > lowest else { break }
            switch try await history.revision(snapshot.id) {
            case .found(let revision): written.formUnion(ObjectSet(writtenIn: revision.map))
            // What it alone knew was merged into the next map before its own was removed.
            case .missing where snapshot.isTrash: continue
            case .missing, .unusable: return clean
            }
        }
        // Without any snapshot before the lost one.
        if !lost.isEmpty { suspects.formUnion(written.intersection(clean)) }
        return suspects
    }

    /// Which revisions of an object serve the two points.
    private struct Trace {
        let set: ObjectSnapshotSet
        let atStart: Int?
        let isTouched: Bool
    }

    private func wasRolledBack(to snapshot: UInt64, _ risk: ObjectSet, _ seen: inout [UInt64: Trace]) async throws -> Bool {
        var proofs = 0
        var rest = risk.members.makeIterator()
        while proofs < Self.witnesses {
            var numbers: [UInt64] = []
            while numbers.count < Self.witnesses, let number = rest.next() { numbers.append(number) }
            guard !numbers.isEmpty else { return false }
            for (number, trace) in try await traces(of: numbers.filter { seen[$0] == nil }) { seen[number] = trace }
            for trace in numbers.compactMap({ seen[$0] }) {
                if trace.isTouched { return true }
                // Where both have the same revision, going back would have changed nothing.
                if trace.set.index(serving: snapshot) != trace.atStart { proofs += 1 }
            }
        }
        return false
    }

    private func traces(of numbers: [UInt64]) async throws -> [(UInt64, Trace)] {
        let (pool, header, from, to) = (history.source.dataPool, header, from, to)
        return try await withThrowingTaskGroup(of: (UInt64, Trace)?.self) { group in
            for number in numbers {
                group.addTask {
                    var object = ObjectHistory(name: header.objectName(number))
                    guard let set = try await object.snapshotSet(in: pool) else { return nil }
                    let start = set.index(serving: from)
                    return (number, Trace(set: set, atStart: start, isTouched: start != set.index(serving: to)))
                }
            }
            return try await group.reduce(into: []) { if let trace = $1 { $0.append(trace) } }
        }
    }
}
