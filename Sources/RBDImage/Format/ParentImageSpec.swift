public import CephCore

/// The snapshot that a clone hangs on, as methods take and give it.
public struct ParentImageSpec: Hashable, Sendable, WireEncodable, WireDecodable {
    /// Negative when there is no parent.
    public var poolID: Int64
    public var namespace: String
    public var imageID: String
    public var snapshotID: UInt64

    public init(poolID: Int64, namespace: String = "", imageID: String, snapshotID: UInt64) {
        self.poolID = poolID
        self.namespace = namespace
        self.imageID = imageID
        self.snapshotID = snapshotID
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            $0.i64(poolID)
            $0.string(namespace)
            $0.string(imageID)
            $0.u64(snapshotID)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            Self(poolID: try d.i64(), namespace: try d.string(), imageID: try d.string(), snapshotID: try d.u64())
        }
    }
}

/// A clone, as its parent's header records it.
public struct ChildImageSpec: Hashable, Sendable, WireEncodable, WireDecodable {
    public var poolID: Int64
    public var namespace: String
    public var imageID: String

    public init(poolID: Int64, namespace: String = "", imageID: String) {
        self.poolID = poolID
        self.namespace = namespace
        self.imageID = imageID
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 1) {
            $0.i64(poolID)
            $0.string(imageID)
            $0.string(namespace)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, version) throws(WireError) in
            let (poolID, imageID) = (try d.i64(), try d.string())
            return Self(poolID: poolID, namespace: version >= 2 ? try d.string() : "", imageID: imageID)
        }
    }
}
