public import CephCore

/// The parent that a clone's header records.
public struct ParentRecord: Hashable, Sendable, WireEncodable, WireDecodable {
    /// Negative when there is none.
    public var poolID: Int64
    public var namespace: String
    public var imageID: String
    public var snapshotID: UInt64
    /// Bytes of the parent that HEAD sees; nil when HEAD is flattened and only snapshots need the parent.
    public var headOverlap: UInt64?

    public init(poolID: Int64, namespace: String = "", imageID: String, snapshotID: UInt64, headOverlap: UInt64?) {
        self.poolID = poolID
        self.namespace = namespace
        self.imageID = imageID
        self.snapshotID = snapshotID
        self.headOverlap = headOverlap
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 2) {
            $0.i64(poolID)
            $0.string(namespace)
            $0.string(imageID)
            $0.u64(snapshotID)
            $0.optional(headOverlap) { $0.u64($1) }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, version) throws(WireError) in
            if version == 1 {
                return Self(poolID: try d.i64(), imageID: try d.string(), snapshotID: try d.u64(), headOverlap: try d.u64())
            }
            return Self(
                poolID: try d.i64(), namespace: try d.string(), imageID: try d.string(), snapshotID: try d.u64(),
                headOverlap: try d.optional { (d) throws(WireError) in try d.u64() })
        }
    }
}
