internal import CephCore

extension ObjectSnapshotSet {
    /// What the object maps of an image's snapshots, given ascending, and of HEAD after them say of this object.
    ///
    /// Clean is what the revision before has already, served by the same clone.
    func states(at snapshots: [UInt64], tellsClean: Bool) -> [ObjectState] {
        var before: Int?
        return (snapshots + [ObjectClone.headID]).map { point in
            let index = index(serving: point)
            defer { before = index }
            guard let index else { return .nonexistent }
            return tellsClean && index == before ? .existsClean : .exists
        }
    }
}
