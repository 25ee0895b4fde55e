public import RBDImage

/// The second snapshot that ends a sync: the durable proof that a point is held in full.
///
/// A stock daemon takes its snapshot *before* it copies, so that snapshot keeps the state of the sync before.
/// We copy in the same layout and then add a sealed one: same source snapshot, same id map, but taken after
/// the copy. It is added complete in one step, and that step is what completes the sync: at no moment is
/// there a newest complete snapshot whose data is not in HEAD, and a forced promotion during the next sync
/// rolls back to exactly this point.
///
/// **The marker** is `last_copied_object_number == 0` on a complete snapshot: nothing was copied under it. A stock
/// daemon that copied anything leaves the object count there (at least 1), and where it copied nothing (empty
/// image, or a source snapshot that says it is clean) its snapshot does equal HEAD, so the answer is right there
/// too. Stock tools never read the number of a complete snapshot, and never change it.
public enum SealedPoint {
    /// Tells whether the snapshot holds the data of its source snapshot itself.
    public static func isSealed(_ mirror: MirrorSnapshot) -> Bool {
        mirror.state.isNonPrimary && mirror.complete && !mirror.isOrphan && mirror.lastCopiedObject == 0
    }

    /// Makes the sealed snapshot's fields from those of the snapshot it replaces.
    public static func sealing(_ mirror: MirrorSnapshot) -> MirrorSnapshot {
        var sealed = mirror
        sealed.complete = true
        sealed.lastCopiedObject = 0
        return sealed
    }

    /// Names a new non-primary snapshot.
    ///
    /// - Parameter uuid: A fresh random one, lower case.
    public static func name(globalImageID: String, uuid: String) -> String {
        ".mirror.non_primary.\(globalImageID).\(uuid)"
    }
}
