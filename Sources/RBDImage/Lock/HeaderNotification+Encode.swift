internal import CephCore

extension HeaderNotification {
    /// Makes a notification as 16.2 and later send it.
    public init(_ content: Content) {
        self.init(operation: content.operation, body: Encoder.encode { content.encodeBody(into: &$0) })
    }
}

extension HeaderNotification.Content {
    public var operation: HeaderNotification.Operation {
        switch self {
        case .acquiredLock: .acquiredLock
        case .releasedLock: .releasedLock
        case .requestLock: .requestLock
        case .headerUpdate: .headerUpdate
        case .asyncProgress: .asyncProgress
        case .asyncComplete: .asyncComplete
        case .flatten: .flatten
        case .resize: .resize
        case .snapshotCreate: .snapshotCreate
        case .snapshotRemove: .snapshotRemove
        case .rebuildObjectMap: .rebuildObjectMap
        case .snapshotRename: .snapshotRename
        case .snapshotProtect: .snapshotProtect
        case .snapshotUnprotect: .snapshotUnprotect
        case .rename: .rename
        case .updateFeatures: .updateFeatures
        case .migrate: .migrate
        case .sparsify: .sparsify
        case .quiesce: .quiesce
        case .unquiesce: .unquiesce
        case .metadataUpdate: .metadataUpdate
        case .unknown(let operation, _): operation
        }
    }

    fileprivate func encodeBody(into encoder: inout Encoder) {
        switch self {
        case .acquiredLock(let client), .releasedLock(let client): client.encode(into: &encoder)
        case .requestLock(let client, let force):
            client.encode(into: &encoder)
            encoder.bool(force)
        case .headerUpdate: break
        case .asyncProgress(let request, let done, let total):
            request.encode(into: &encoder)
            encoder.u64(done)
            encoder.u64(total)
        case .asyncComplete(let request, let result):
            request.encode(into: &encoder)
            encoder.i32(result)
        case .flatten(let request), .rebuildObjectMap(let request), .migrate(let request), .quiesce(let request),
            .unquiesce(let request):
            request.encode(into: &encoder)
        case .sparsify(let request, let size):
            request.encode(into: &encoder)
            encoder.u64(size)
        case .resize(let size, let allowShrink, let request):
            encoder.u64(size)
            request.encode(into: &encoder)
            encoder.bool(allowShrink)
        default: encodeNamed(into: &encoder)
        }
    }

    private func encodeNamed(into encoder: inout Encoder) {
        switch self {
        case .snapshotCreate(let name, let namespace, let flags, let request):
            Self.encode(name, namespace, request, into: &encoder)
            encoder.u64(flags)
        case .snapshotRemove(let name, let namespace, let request), .snapshotProtect(let name, let namespace, let request),
            .snapshotUnprotect(let name, let namespace, let request):
            Self.encode(name, namespace, request, into: &encoder)
        case .snapshotRename(let id, let name, let namespace, let request):
            encoder.u64(id)
            Self.encode(name, namespace, request, into: &encoder)
        case .rename(let name, let request):
            encoder.string(name)
            request.encode(into: &encoder)
        case .updateFeatures(let features, let enabled, let request):
            encoder.u64(features.rawValue)
            encoder.bool(enabled)
            request.encode(into: &encoder)
        case .metadataUpdate(let key, let value, let request):
            encoder.string(key)
            encoder.optional(value) { $0.string($1) }
            request.encode(into: &encoder)
        case .unknown(_, let body): encoder.raw(body)
        default: break
        }
    }

    private static func encode(
        _ name: String, _ namespace: SnapshotNamespace, _ request: HeaderNotification.Request, into encoder: inout Encoder
    ) {
        encoder.string(name)
        namespace.encode(into: &encoder)
        request.encode(into: &encoder)
    }
}
