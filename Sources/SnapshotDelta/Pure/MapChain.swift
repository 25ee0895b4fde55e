public import RBDImage

/// The target's object maps along a chain of revisions: as they are marked before data is written, and as
/// they are in the end.
///
/// Before: everything that exists or is to be written is marked, removals are not yet. After: exact.
public struct MapChain: Sendable {
    /// One revision: its deltas and how many objects it has.
    public struct Revision: Sendable {
        let states: ObjectDeltaMap?
        let suspects: ObjectSet
        let objectCount: Int
        /// What a copy found, where the source's maps said nothing or too much: 1 exists, 2 absent, 0 not touched.
        var outcomes: ObjectMap

        public init(states: ObjectDeltaMap?, suspects: ObjectSet = .init(), objectCount: UInt64) {
            self.states = states
            self.suspects = suspects
            self.objectCount = Int(objectCount)
            outcomes = ObjectMap(count: states == nil || !suspects.isEmpty ? Int(objectCount) : 0)
        }

        /// Objects a known delta named present that were not there.
        var vanished: Set<Int> = []
        /// Objects a known delta named absent that were made, empty.
        var emptied: Set<Int> = []

        func touched(_ states: ObjectDeltaMap) -> some Sequence<Int> {
            states.touched.lazy.map { Int($0) }.prefix { $0 < objectCount }
        }
    }

    private let base: ObjectMap
    /// Whether ``init(base:revisions:continues:)`` was told so.
    public let continues: Bool
    public private(set) var revisions: [Revision]

    /// - Parameters:
    ///   - base: The target's map before the first revision; all of it is taken for clean.
    ///   - continues: The base is the first revision's own map, of an earlier copy: what is dirty stays so.
    public init(base: ObjectMap, revisions: [Revision], continues: Bool = false) {
        self.base = base
        self.revisions = revisions
        self.continues = continues
    }

    /// Takes in what became of an object.
    public mutating func record(_ outcome: CopiedObject) {
        let number = Int(outcome.number)
        for (index, exists) in outcome.exists.enumerated() {
            guard let exists else { continue }
            if let states = revisions[index].states, !revisions[index].suspects.contains(outcome.number) {
                if !exists { revisions[index].vanished.insert(number) }
                if exists, number < states.count, states[number] == .holeUpdated { revisions[index].emptied.insert(number) }
            } else if number < revisions[index].objectCount {
                revisions[index].outcomes[number] = exists ? .exists : .pending
            }
        }
    }

    /// The maps of each revision before any data is written; the last is HEAD's.
    public func marked() -> [ObjectMap] {
        follow { map, revision in
            if let states = revision.states {
                for number in revision.touched(states) where states[number] == .dataUpdated { map[number] = .exists }
                for number in revision.suspects.members.lazy.map({ Int($0) }).prefix(while: { $0 < revision.objectCount }) { map[number] = .exists }
            } else {
                map = ObjectMap(count: revision.objectCount, filledWith: .exists)
            }
        }
    }

    /// The maps of each revision when all is copied; the last is HEAD's.
    public func final() -> [ObjectMap] {
        follow { map, revision in
            if let states = revision.states {
                for number in revision.touched(states) {
                    let exists = states[number] == .dataUpdated ? !revision.vanished.contains(number) : revision.emptied.contains(number)
                    map[number] = exists ? .exists : .nonexistent
                }
            }
            for number in revision.outcomes.present.lazy.map({ Int($0) }) {
                map[number] = revision.outcomes[number] == .exists ? .exists : .nonexistent
            }
        }
    }

    private func follow(_ apply: (inout ObjectMap, Revision) -> Void) -> [ObjectMap] {
        var map = base
        return revisions.enumerated().map { index, revision in
            if index > 0 || !continues { map.markAllClean() }
            map.resize(to: revision.objectCount)
            apply(&map, revision)
            return map
        }
    }
}
