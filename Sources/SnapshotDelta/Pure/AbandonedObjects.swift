public import RBDImage

/// Finds what attempts that were given up have left in HEAD.
///
/// An attempt that was given up because its point went away has written objects that may be neither in the base nor in the
/// next point: what is known of the way between those two does not name them.
public struct AbandonedObjects: Sendable {
    /// The target's map at the base; nil without maps.
    let base: ObjectMap?
    let baseCount: UInt64
    let revisions: [MapChain.Revision]

    /// - Parameters:
    ///   - baseCount: Objects of the target at the base, 0 without one.
    ///   - revisions: The way from the base to the new point.
    public init(base: ObjectMap?, baseCount: UInt64, revisions: [MapChain.Revision]) {
        self.base = base
        self.baseCount = baseCount
        self.revisions = revisions
    }

    /// The objects to remove before anything is written: HEAD may have them, and the new point does not.
    ///
    /// - Parameters:
    ///   - head: HEAD's map as the attempts have left it, which never denies an object that exists; nil without maps.
    ///   - headCount: Objects that HEAD has had.
    public func numbers(head: ObjectMap?, headCount: UInt64) -> [UInt64] {
        guard let head else {
            let known = max(baseCount, revisions.map { UInt64($0.objectCount) }.max() ?? 0)
            return known < headCount ? Array(known..<headCount) : []
        }
        return head.present.filter { number in
            guard let base, number < UInt64(base.count), base[Int(number)] != .nonexistent else {
                return !revisions.contains { $0.covers(Int(number)) }
            }
            return false
        }
    }
}

extension MapChain.Revision {
    /// Whether copying the revision gives the object what it has there.
    fileprivate func covers(_ number: Int) -> Bool {
        guard let states else { return number < objectCount }
        guard number < states.count else { return false }
        return states[number] == .dataUpdated || states[number] == .holeUpdated
    }
}
