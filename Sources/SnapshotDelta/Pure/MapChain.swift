public import RBDImage

/// The target's object maps along a chain of revisions: as they are marked before data is written, and as
/// they are in the end.
///
/// Before: everything that exists or is to be written is marked, removals are not yet. After: exact.
public struct MapChain: Sendable {
    /// One revision: its deltas and how many objects it has.
    public struct Revision: Sendable {
        let states: ObjectDeltaMap?
        let objectCount: Int
        /// What a copy found, where the source's maps said nothing or too much: 1 exists, 2 absent, 0 not touched.
        var outcomes: ObjectMap

        public init(states: ObjectDeltaMap?, objectCount: UInt64) {
            self.states = states
            self.objectCount = Int(objectCount)
            outcomes = ObjectMap(count: states == nil ? Int(objectCount) : 0)
        }

        /// Objects a known delta named present that were not there.
        var vanished: Set<Int> = []
    }

    private let base: ObjectMap
    public private(set) var revisions: [Revision]

    /// - Parameter base: The target's map before the first revision, all clean.
    public init(base: ObjectMap, revisions: [Revision]) {
        self.base = base
        self.revisions = revisions
    }

    /// Takes in what became of an object.
    public mutating func record(_ outcome: CopiedObject) {
        let number = Int(outcome.number)
        for (index, exists) in outcome.exists.enumerated() {
            guard let exists else { continue }
            if revisions[index].states != nil {
                if !exists { revisions[index].vanished.insert(number) }
            } else if number < revisions[index].objectCount {
                revisions[index].outcomes[number] = exists ? .exists : .pending
            }
        }
    }

    /// The maps of each revision before any data is written; the last is HEAD's.
    public func marked() -> [ObjectMap] {
        follow { map, revision in
            for number in 0..<revision.objectCount {
                if let states = revision.states {
                    if number < states.count, states[number] == .dataUpdated { map[number] = .exists }
                } else {
                    map[number] = .exists
                }
            }
        }
    }

    /// The maps of each revision when all is copied; the last is HEAD's.
    public func final() -> [ObjectMap] {
        follow { map, revision in
            for number in 0..<revision.objectCount {
                guard let states = revision.states else {
                    let outcome = revision.outcomes[number]
                    if outcome == .exists { map[number] = .exists }
                    if outcome == .pending { map[number] = .nonexistent }
                    continue
                }
                guard number < states.count else { continue }
                if states[number] == .dataUpdated { map[number] = .exists }
                if states[number] == .holeUpdated || revision.vanished.contains(number) { map[number] = .nonexistent }
            }
        }
    }

    private func follow(_ apply: (inout ObjectMap, Revision) -> Void) -> [ObjectMap] {
        var map = base
        return revisions.map { revision in
            map.markAllClean()
            map.resize(to: revision.objectCount)
            apply(&map, revision)
            return map
        }
    }
}
