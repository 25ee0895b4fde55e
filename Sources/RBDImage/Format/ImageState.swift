public import CephCore

/// What a primary's mirror snapshot says of the image besides its data.
public struct ImageState: Hashable, Sendable, WireEncodable, WireDecodable {
    public var name: String
    /// Without the implicit bits.
    public var features: ImageFeatures
    /// `UInt64.max` for none.
    public var snapshotLimit: UInt64
    /// User snapshots by the primary's ids.
    public var snapshots: [UInt64: Snapshot]
    public var metadata: [String: [UInt8]]

    /// A user snapshot at that moment.
    public struct Snapshot: Hashable, Sendable {
        public var namespace: SnapshotNamespace
        public var name: String
        public var protection: SnapshotProtection

        public init(namespace: SnapshotNamespace = .user, name: String, protection: SnapshotProtection) {
            self.namespace = namespace
            self.name = name
            self.protection = protection
        }
    }

    public init(
        name: String, features: ImageFeatures, snapshotLimit: UInt64 = .max, snapshots: [UInt64: Snapshot] = [:],
        metadata: [String: [UInt8]] = [:]
    ) {
        self.name = name
        self.features = features
        self.snapshotLimit = snapshotLimit
        self.snapshots = snapshots
        self.metadata = metadata
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            $0.string(name)
            $0.u64(features.rawValue)
            $0.u64(snapshotLimit)
            $0.list(snapshots.sorted { $0.key < $1.key }) { encoder, pair in
                encoder.u64(pair.key)
                encoder.frame(version: 1, compat: 1) {
                    pair.value.namespace.encode(into: &$0)
                    $0.string(pair.value.name)
                    $0.u8(pair.value.protection.rawValue)
                }
            }
            $0.list(metadata.sorted { $0.key.precedesByBytes($1.key) }) {
                $0.string($1.key)
                $0.blob($1.value)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            var state = Self(
                name: try d.string(), features: ImageFeatures(rawValue: try d.u64()), snapshotLimit: try d.u64())
            let snapshots = try d.list(elementsOfAtLeast: 14) { (d) throws(WireError) in
                (try d.u64(), try d.frame(supported: 1) { (d, _) throws(WireError) in
                    Snapshot(
                        namespace: try SnapshotNamespace(from: &d), name: try d.string(),
                        protection: SnapshotProtection(rawValue: try d.u8()))
                })
            }
            for (id, snapshot) in snapshots { state.snapshots[id] = snapshot }
            let metadata = try d.list(elementsOfAtLeast: 8) { (d) throws(WireError) in (try d.string(), try d.blob()) }
            for (key, value) in metadata { state.metadata[key] = value }
            return state
        }
    }
}

/// How an image state lies in objects: a count, then the state, cut into chunks.
public enum StateBlob {
    /// Cuts a blob into the contents of its objects.
    ///
    /// - Parameter chunk: Bytes an object may have.
    public static func objects(of state: [UInt8], chunk: Int) -> [[UInt8]] {
        let headerSize = 10
        let count = 1 + (headerSize + state.count) / chunk
        let header = Encoder.encode { $0.frame(version: 1, compat: 1) { $0.u32(UInt32(count)) } }
        let whole = header + state
        return (0..<count).map { Array(whole[min($0 * chunk, whole.count)..<min(($0 + 1) * chunk, whole.count)]) }
    }

    /// Joins the contents of all objects to the state's encoding.
    ///
    /// - Throws: ``WireError`` when the first object counts others than these.
    public static func join(_ objects: [[UInt8]]) throws(WireError) -> [UInt8] {
        let (count, start) = try begin(objects.first ?? [])
        guard count == objects.count else { throw WireError(.invalidValue, at: 6, in: "object count") }
        return objects.dropFirst().reduce(into: Array(start)) { $0 += $1 }
    }

    /// Reads the number of objects from the first one, and what it holds of the state.
    public static func begin(_ first: [UInt8]) throws(WireError) -> (objectCount: Int, state: ArraySlice<UInt8>) {
        var decoder = Decoder(first)
        let count = try decoder.frame(supported: 1) { (d, _) throws(WireError) in try d.u32() }
        guard count >= 1 else { throw WireError(.invalidValue, at: 6, in: "object count") }
        return (Int(count), first[decoder.offset...])
    }
}
