public import CephCore

extension HeaderNotification {
    /// Decodes the operation's fields; what newer releases append is ignored.
    ///
    /// - Throws: ``WireError`` with the offset in ``body``.
    public func content() throws(WireError) -> Content {
        var decoder = Decoder(body)
        return try Content(of: self, from: &decoder)
    }
}

extension HeaderNotification.Content {
    fileprivate init(of message: HeaderNotification, from d: inout Decoder) throws(WireError) {
        let version = message.version
        switch message.operation {
        case .acquiredLock: self = .acquiredLock(try Self.client(&d, version))
        case .releasedLock: self = .releasedLock(try Self.client(&d, version))
        case .requestLock:
            self = .requestLock(try Self.client(&d, version), force: version >= 3 ? try d.bool() : false)
        case .headerUpdate: self = .headerUpdate
        case .asyncProgress: self = .asyncProgress(try .init(from: &d), done: try d.u64(), total: try d.u64())
        case .asyncComplete: self = .asyncComplete(try .init(from: &d), result: try d.i32())
        case .quiesce: self = .quiesce(try .init(from: &d))
        case .unquiesce: self = .unquiesce(try .init(from: &d))
        default: self = try Self.work(message, &d) ?? .unknown(message.operation, body: message.body)
        }
    }

    /// The requests for work; nil for an operation of a newer release.
    private static func work(_ message: HeaderNotification, _ d: inout Decoder) throws(WireError) -> Self? {
        let version = message.version
        switch message.operation {
        case .flatten: return .flatten(try .init(from: &d))
        case .rebuildObjectMap: return .rebuildObjectMap(try .init(from: &d))
        case .migrate: return .migrate(try .init(from: &d))
        case .sparsify: return .sparsify(try .init(from: &d), size: try d.u64())
        case .resize:
            let size = try d.u64()
            let request = try HeaderNotification.Request(from: &d)
            return .resize(size: size, allowShrink: version >= 4 ? try d.bool() : true, request)
        case .snapshotCreate:
            let (name, namespace, request) = try snapshot(&d, version, namespaceSince: 5)
            return .snapshotCreate(name: name, namespace, flags: version >= 7 ? try d.u64() : 0, request)
        case .snapshotRemove:
            let (name, namespace, request) = try snapshot(&d, version)
            return .snapshotRemove(name: name, namespace, request)
        case .snapshotRename:
            let id = try d.u64()
            let (name, namespace, request) = try snapshot(&d, version)
            return .snapshotRename(id: id, name: name, namespace, request)
        case .snapshotProtect:
            let (name, namespace, request) = try snapshot(&d, version)
            return .snapshotProtect(name: name, namespace, request)
        case .snapshotUnprotect:
            let (name, namespace, request) = try snapshot(&d, version)
            return .snapshotUnprotect(name: name, namespace, request)
        case .rename: return .rename(to: try d.string(), try request(&d, version))
        case .updateFeatures:
            return .updateFeatures(ImageFeatures(rawValue: try d.u64()), enabled: try d.bool(), try request(&d, version))
        case .metadataUpdate:
            let key = try d.string()
            let value = try d.optional { (d) throws(WireError) in try d.string() }
            return .metadataUpdate(key: key, value: value, try request(&d, version))
        default: return nil
        }
    }

    private static func client(_ d: inout Decoder, _ version: UInt8) throws(WireError) -> HeaderNotification.Client {
        version >= 2 ? try HeaderNotification.Client(from: &d) : HeaderNotification.Request.none.client
    }

    private static func request(_ d: inout Decoder, _ version: UInt8) throws(WireError) -> HeaderNotification.Request {
        version >= 7 ? try HeaderNotification.Request(from: &d) : .none
    }

    /// Name, namespace and request: in this order, though other messages begin with the request.
    private static func snapshot(
        _ d: inout Decoder, _ version: UInt8, namespaceSince: UInt8 = 6
    ) throws(WireError) -> (String, SnapshotNamespace, HeaderNotification.Request) {
        let name = try d.string()
        let namespace = version >= namespaceSince ? try SnapshotNamespace(from: &d) : .user
        return (name, namespace, try request(&d, version))
    }
}
