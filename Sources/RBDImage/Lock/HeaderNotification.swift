public import CephCore

/// A notification on an image's header.
public struct HeaderNotification: Hashable, Sendable, WireDecodable, WireEncodable {
    /// What it is about.
    public struct Operation: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let acquiredLock = Operation(rawValue: 0)
        public static let releasedLock = Operation(rawValue: 1)
        public static let requestLock = Operation(rawValue: 2)
        public static let headerUpdate = Operation(rawValue: 3)
        public static let asyncProgress = Operation(rawValue: 4)
        public static let asyncComplete = Operation(rawValue: 5)
        public static let flatten = Operation(rawValue: 6)
        public static let resize = Operation(rawValue: 7)
        public static let snapshotCreate = Operation(rawValue: 8)
        public static let snapshotRemove = Operation(rawValue: 9)
        public static let rebuildObjectMap = Operation(rawValue: 10)
        public static let snapshotRename = Operation(rawValue: 11)
        public static let snapshotProtect = Operation(rawValue: 12)
        public static let snapshotUnprotect = Operation(rawValue: 13)
        public static let rename = Operation(rawValue: 14)
        public static let updateFeatures = Operation(rawValue: 15)
        public static let migrate = Operation(rawValue: 16)
        public static let sparsify = Operation(rawValue: 17)
        public static let quiesce = Operation(rawValue: 18)
        public static let unquiesce = Operation(rawValue: 19)
        public static let metadataUpdate = Operation(rawValue: 20)
    }

    /// The client that sent it.
    public struct Client: Hashable, Sendable {
        public var globalID: UInt64
        /// Its watch's handle.
        public var handle: UInt64
        public init(globalID: UInt64, handle: UInt64) {
            self.globalID = globalID
            self.handle = handle
        }
    }

    public var operation: Operation
    /// The operation's own fields, encoded; see ``content()``.
    public var body: [UInt8]
    /// Version of the encoding; decides which fields the body has.
    public var version: UInt8

    public static let headerUpdate = HeaderNotification(operation: .headerUpdate, body: [])

    public static func releasedLock(_ client: Client) -> HeaderNotification {
        HeaderNotification(.releasedLock(client))
    }

    public init(operation: Operation, body: [UInt8], version: UInt8 = 7) {
        self.operation = operation
        self.body = body
        self.version = version
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: version, compat: 1) {
            $0.u32(operation.rawValue)
            $0.raw(body)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 7) { (d, version) throws(WireError) in
            Self(operation: Operation(rawValue: try d.u32()), body: Array(try d.raw(d.remaining)), version: version)
        }
    }

    /// The namespace of a snapshot that somebody asks the lock's owner to make; nil for other operations.
    public var requestedSnapshot: SnapshotNamespace? {
        guard operation == .snapshotCreate, case .snapshotCreate(_, let namespace, _, _)? = try? content() else { return nil }
        return namespace
    }

    /// A forced promotion asks the lock's owner for its orphan snapshot.
    public var isForcedPromotion: Bool {
        if case .mirror(let mirror)? = requestedSnapshot { mirror.isOrphan } else { false }
    }
}

/// A lock owner's answer: 0 or a negative errno.
public struct ResponseMessage: Hashable, Sendable, WireEncodable, WireDecodable {
    public var result: Int32
    public init(result: Int32) { self.result = result }

    public func encode(into encoder: inout Encoder) { encoder.frame(version: 1, compat: 1) { $0.i32(result) } }

    public init(from decoder: inout Decoder) throws(WireError) {
        result = try decoder.frame(supported: 1) { (d, _) throws(WireError) in try d.i32() }
    }
}
