/// Holds deletions back when many would go at once: then it is more likely that something is wrong at the source than that
/// somebody wants it so.
///
/// What was held once stays held, also when fewer are left: promoting some replicas by force must not be what deletes the others.
public struct DeletionHold: Hashable, Sendable {
    /// Global ids of the replicas that wait for a person, and how many lost their sources when they were held.
    public private(set) var held: [String: Int]

    public init(held: [String: Int] = [:]) { self.held = held }

    /// As many may go at once: half of a pool's replicas, and some in any case.
    public static func limit(replicas: Int) -> Int { max(10, replicas / 2) }

    /// Takes in one look at a pool (or namespace).
    ///
    /// - Parameters:
    ///   - lost: Global ids of the replicas whose sources are gone.
    ///   - replicas: How many replicas there are, those included.
    public mutating func saw(lost: Set<String>, replicas: Int) {
        guard lost.count > Self.limit(replicas: replicas) else { return }
        for globalID in lost { held[globalID] = lost.count }
    }

    /// These have a source again, or somebody has decided about them.
    public mutating func release(_ globalIDs: Set<String>) { held = held.filter { !globalIDs.contains($0.key) } }
}
