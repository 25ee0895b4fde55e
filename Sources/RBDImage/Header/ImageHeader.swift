public import CephCore

/// Everything an image's header records, read in one moment.
public struct ImageHeader: Hashable, Sendable {
    public let id: String
    /// Bytes of HEAD.
    public var size: UInt64
    public var layout: ImageLayout
    public var features: ImageFeatures
    /// Operations in use that older clients do not know; raw bits.
    public var operationFeatures: UInt64
    /// HEAD's; snapshots have their own.
    public var flags: ImageFlags
    /// Prefix of the data objects' names.
    public var objectPrefix: String
    /// Pool of the data objects where it is not the image's own.
    public var dataPool: Int64?
    /// Highest snapshot id ever added.
    public var snapshotSequence: UInt64
    /// All namespaces, ascending by id.
    public var snapshots: [ImageSnapshot]
    /// Nil for none.
    public var snapshotLimit: UInt64?
    /// What HEAD is a clone of; snapshots have their own.
    public var parent: ParentRecord?
    /// Keys as in `rbd image-meta`; values need not be text.
    public var metadata: [String: [UInt8]]

    /// Reads a header from its omap entries.
    ///
    /// - Throws: ``CephError`` `EBADMSG` naming the key that cannot be decoded.
    public init(id: String, entries: [(key: String, value: [UInt8])]) throws(CephError) {
        self.id = id
        var keys: [String: [UInt8]] = [:]
        var snapshots: [ImageSnapshot] = []
        var metadata: [String: [UInt8]] = [:]
        for (key, value) in entries {
            if key.hasPrefix("snapshot_") {
                snapshots.append(try Self.decode(value, key, id) { (d) throws(WireError) in try ImageSnapshot(record: &d) })
            } else if key.hasPrefix("metadata_") {
                metadata[String(key.dropFirst(9))] = value
            } else {
                keys[key] = value
            }
        }
        let u64 = { (key: String) throws(CephError) -> UInt64? in
            guard let value = keys[key] else { return nil }
            return try Self.decode(value, key, id) { (d) throws(WireError) in try d.u64() }
        }
        guard let size = try u64("size"), let orderValue = keys["order"], let prefix = keys["object_prefix"] else {
            throw CephError(code: 2, operation: "read image header", subject: ObjectNames.header(id))
        }
        let order = try Self.decode(orderValue, "order", id) { (d) throws(WireError) in try d.u8() }
        guard let layout = ImageLayout(
            recordedOrder: order, stripeUnit: try u64("stripe_unit") ?? 0, stripeCount: try u64("stripe_count") ?? 0)
        else { throw Self.invalid("order and striping", id) }
        guard max(size, snapshots.lazy.map(\.size).max() ?? 0) <= Self.largestSize else { throw Self.invalid("size", id) }
        self.size = size
        self.layout = layout
        features = ImageFeatures(rawValue: try u64("features") ?? 0)
        operationFeatures = try u64("op_features") ?? 0
        flags = ImageFlags(rawValue: try u64("flags") ?? 0)
        objectPrefix = try Self.decode(prefix, "object_prefix", id) { (d) throws(WireError) in try d.string() }
        let pool = try u64("data_pool_id").map { Int64(bitPattern: $0) }
        dataPool = pool == -1 ? nil : pool
        snapshotSequence = try u64("snap_seq") ?? 0
        snapshotLimit = try u64("snap_limit").flatMap { $0 == .max ? nil : $0 }
        parent = try keys["parent"].map { (value) throws(CephError) in
            try Self.decode(value, "parent", id) { (d) throws(WireError) in try ParentRecord(from: &d) }
        }
        self.snapshots = snapshots.sorted { $0.id < $1.id }
        self.metadata = metadata
    }

    /// Beyond this, offsets of objects cannot be counted.
    private static let largestSize = UInt64(Int64.max)

    private static func invalid(_ what: String, _ id: String) -> CephError {
        .undecodable(WireError(.invalidValue, at: 0, in: what), operation: "read image header", subject: ObjectNames.header(id))
    }

    private static func decode<T>(
        _ bytes: [UInt8], _ key: String, _ id: String, _ body: (inout Decoder) throws(WireError) -> T
    ) throws(CephError) -> T {
        do throws(WireError) { return try Decoder.decode(bytes, as: key, body) } catch {
            throw .undecodable(error, operation: "read image header", subject: ObjectNames.header(id))
        }
    }
}

extension ImageHeader {
    /// The snapshot of any namespace with an id; nil when it is gone.
    public func snapshot(_ id: UInt64) -> ImageSnapshot? { snapshots.first { $0.id == id } }

    /// Mirror snapshots, ascending by id.
    public var mirrorSnapshots: [ImageSnapshot] { snapshots.filter { $0.mirror != nil } }

    /// What people made, ascending by id.
    public var userSnapshots: [ImageSnapshot] { snapshots.filter(\.isUser) }

    /// The name of a data object.
    public func objectName(_ number: UInt64) -> String { ObjectNames.data(prefix: objectPrefix, number) }

    /// Objects of the image at a size.
    public func objectCount(forSize size: UInt64) -> UInt64 { layout.objectCount(forSize: size) }

    /// The context a write to HEAD carries: every live snapshot.
    public var writeContext: SnapshotContext { SnapshotContext(snapshots.map(\.id)) }

    /// The context a write into the revision of one snapshot carries: the snapshots older than it.
    public func writeContext(olderThan id: UInt64) -> SnapshotContext {
        SnapshotContext(snapshots.map(\.id).filter { $0 < id })
    }

    /// The mirrored image's own settings: features without the ones each side decides for itself.
    public var comparableFeatures: ImageFeatures { features.subtracting(.implicit) }
}

extension Pool {
    /// Reads an image's header.
    ///
    /// - Parameter id: The image id, not its name.
    /// - Throws: `ENOENT` when there is no such image; `EBADMSG` when the header cannot be decoded.
    public func imageHeader(_ id: String) async throws(CephError) -> ImageHeader {
        try ImageHeader(id: id, entries: try await omap(of: ObjectNames.header(id)))
    }
}
