public import RBDImage

/// What makes a replica's settings those of the point that was just copied.
public enum ImageStateDiff {
    /// One step on the replica, in the order of the list.
    public enum Step: Hashable, Sendable {
        case renameImage(to: String)
        case disableFeatures(ImageFeatures)
        case enableFeatures(ImageFeatures)
        /// One operation.
        case changeMetadata(remove: [String], set: [String: [UInt8]])
        case unprotect(UInt64)
        case remove(UInt64)
        case protect(UInt64)
        case renameSnapshot(UInt64, to: String)
        /// `UInt64.max` for none.
        case setSnapshotLimit(UInt64)
    }

    /// The replica's settings as they are.
    public struct Settings: Hashable, Sendable {
        public var name: String
        public var features: ImageFeatures
        /// `UInt64.max` for none.
        public var snapshotLimit: UInt64
        public var snapshots: [ImageSnapshot]
        public var metadata: [String: [UInt8]]

        public init(
            name: String, features: ImageFeatures, snapshotLimit: UInt64 = .max, snapshots: [ImageSnapshot] = [],
            metadata: [String: [UInt8]] = [:]
        ) {
            self.name = name
            self.features = features
            self.snapshotLimit = snapshotLimit
            self.snapshots = snapshots
            self.metadata = metadata
        }
    }

    /// Lists the steps; none when nothing differs, so that an interrupted pass is simply repeated.
    ///
    /// - Parameter snapshotIDs: The id map of the mirror snapshot being completed, source id to local id.
    public static func steps(
        from settings: Settings, to state: ImageState, snapshotIDs: [UInt64: UInt64]
    ) -> [Step] {
        (settings.name == state.name || state.name.isEmpty ? [] : [.renameImage(to: state.name)])
            + features(from: settings.features, to: state.features)
            + metadata(from: settings.metadata, to: state.metadata)
            + snapshots(settings.snapshots, state.snapshots, snapshotIDs)
            + (settings.snapshotLimit == state.snapshotLimit ? [] : [.setSnapshotLimit(state.snapshotLimit)])
    }

    /// Features that differ and cannot be changed on an existing image: nothing is done about them.
    public static func unchangeableFeatures(from features: ImageFeatures, to wanted: ImageFeatures) -> ImageFeatures {
        let surplus = features.subtracting(wanted).subtracting(.implicit).subtracting(.mutable).subtracting(.disableOnly)
        let missing = wanted.subtracting(features).subtracting(.implicit).subtracting(.mutable)
        return surplus.union(missing)
    }

    private static func features(from features: ImageFeatures, to wanted: ImageFeatures) -> [Step] {
        let surplus = features.subtracting(wanted).subtracting(.implicit).intersection(ImageFeatures.mutable.union(.disableOnly))
        let missing = wanted.subtracting(features).subtracting(.implicit).intersection(.mutable)
        return (surplus.isEmpty ? [] : [.disableFeatures(withFastDiff(surplus))])
            + (missing.isEmpty ? [] : [.enableFeatures(withFastDiff(missing))])
    }

    /// Fast-diff lives and dies with the object map and is not compared by itself.
    private static func withFastDiff(_ features: ImageFeatures) -> ImageFeatures {
        features.contains(.objectMap) ? features.union(.fastDiff) : features
    }

    // MARK: Metadata

    private static func metadata(from mine: [String: [UInt8]], to theirs: [String: [UInt8]]) -> [Step] {
        let withEncryption = theirs.keys.contains { isEncryption($0) }
        let wanted = theirs.filter { isMirrored($0.key, withEncryption) }
        let surplus = mine.keys.filter { isMirrored($0, withEncryption) && wanted[$0] == nil }.sorted()
        let changed = wanted.filter { mine[$0.key] != $0.value }
        return surplus.isEmpty && changed.isEmpty ? [] : [.changeMetadata(remove: surplus, set: changed)]
    }

    /// Keys that begin with `.rbd` are each side's own, as the resync flag is. The header of an encrypted image
    /// is the exception: newer releases send it along, older ones neither send nor expect it.
    private static func isMirrored(_ key: String, _ withEncryption: Bool) -> Bool {
        !key.hasPrefix(".rbd") || (withEncryption && isEncryption(key))
    }

    private static func isEncryption(_ key: String) -> Bool { key.hasPrefix(".rbd_encryption") }

    // MARK: Snapshots

    private static func snapshots(
        _ mine: [ImageSnapshot], _ theirs: [UInt64: ImageState.Snapshot], _ snapshotIDs: [UInt64: UInt64]
    ) -> [Step] {
        var wanted: [UInt64: ImageState.Snapshot] = [:]
        for (source, local) in snapshotIDs where local != headSnapshotID {
            if let snapshot = theirs[source] { wanted[local] = snapshot }
        }
        let users = mine.filter(\.isUser).sorted { $0.id < $1.id }
        let isProtected = { (snapshot: ImageSnapshot) in wanted[snapshot.id]?.protection == .protected }
        let gone = users.filter { wanted[$0.id] == nil }
        let stay = users.filter { wanted[$0.id] != nil }
        return users.filter { $0.protection != .unprotected && !isProtected($0) }.map { .unprotect($0.id) }
            + gone.map { .remove($0.id) }
            + stay.filter { $0.protection != .protected && isProtected($0) }.map { .protect($0.id) }
            + orderedRenames(of: stay, to: wanted.mapValues(\.name)).map { .renameSnapshot($0.id, to: $0.name) }
    }
}
