public import CephCore

extension HeaderNotification {
    /// Names one maintenance request, so that its progress can be told.
    public struct Request: Hashable, Sendable, WireEncodable, WireDecodable {
        public var client: Client
        public var id: UInt64
        /// What is assumed of releases that sent none.
        public static let none = Request(client: Client(globalID: 0, handle: 0), id: 0)

        public init(client: Client, id: UInt64) {
            self.client = client
            self.id = id
        }

        public func encode(into encoder: inout Encoder) {
            client.encode(into: &encoder)
            encoder.u64(id)
        }

        public init(from decoder: inout Decoder) throws(WireError) {
            self.init(client: try Client(from: &decoder), id: try decoder.u64())
        }
    }

    /// A notification's fields.
    ///
    /// From `flatten` on they ask the lock's owner for work; it answers with a ``ResponseMessage``.
    public enum Content: Hashable, Sendable {
        case acquiredLock(Client)
        case releasedLock(Client)
        case requestLock(Client, force: Bool)
        case headerUpdate
        case asyncProgress(Request, done: UInt64, total: UInt64)
        case asyncComplete(Request, result: Int32)
        case flatten(Request)
        case resize(size: UInt64, allowShrink: Bool, Request)
        case snapshotCreate(name: String, SnapshotNamespace, flags: UInt64, Request)
        case snapshotRemove(name: String, SnapshotNamespace, Request)
        case rebuildObjectMap(Request)
        case snapshotRename(id: UInt64, name: String, SnapshotNamespace, Request)
        case snapshotProtect(name: String, SnapshotNamespace, Request)
        case snapshotUnprotect(name: String, SnapshotNamespace, Request)
        case rename(to: String, Request)
        case updateFeatures(ImageFeatures, enabled: Bool, Request)
        case migrate(Request)
        case sparsify(Request, size: UInt64)
        case quiesce(Request)
        case unquiesce(Request)
        /// A nil value removes the key.
        case metadataUpdate(key: String, value: String?, Request)
        /// Of a newer release, carried through.
        case unknown(Operation, body: [UInt8])
    }
}

extension HeaderNotification.Client: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.u64(globalID)
        encoder.u64(handle)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self.init(globalID: try decoder.u64(), handle: try decoder.u64())
    }
}
