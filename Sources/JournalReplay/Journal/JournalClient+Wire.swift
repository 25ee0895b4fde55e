public import CephCore
internal import RBDImage

extension JournalClient: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { encoder in
            encoder.string(id)
            encoder.blob(data)
            committed.encode(into: &encoder)
            encoder.u8(state.rawValue)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in
            JournalClient(
                id: try decoder.string(), data: try decoder.blob(), committed: try JournalCommitPosition(from: &decoder),
                state: State(rawValue: try decoder.u8()))
        }
    }
}

extension JournalClientRole: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 1) { encoder in
            switch self {
            case .image(let image):
                encoder.u32(0)
                encoder.u64(image.tagClass)
                encoder.bool(image.isResyncRequested)
            case .peer(let peer):
                encoder.u32(1)
                peer.encode(into: &encoder)
            case .tool: encoder.u32(2)
            case .unknown(let type, let body):
                encoder.u32(type)
                encoder.raw(body)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, version) throws(WireError) in
            switch try decoder.u32() {
            case 0: .image(.init(tagClass: try decoder.u64(), isResyncRequested: try decoder.bool()))
            case 1: .peer(try Peer(from: &decoder, version: version))
            case 2: .tool
            case let type: .unknown(type: type, body: Array(try decoder.raw(decoder.remaining)))
            }
        }
    }
}

extension JournalClientRole.Peer {
    fileprivate func encode(into encoder: inout Encoder) {
        encoder.string(imageID)
        encoder.u32(state.rawValue)
        encoder.u64(syncedObjects)
        encoder.list(syncPoints) { encoder, point in
            encoder.string(point.snapshot.name)
            encoder.string(point.from)
            encoder.optional(point.lastObject) { $0.u64($1) }
            point.snapshot.namespace.encode(into: &encoder)
        }
        encoder.list(snapshotIDs.sorted { $0.key < $1.key }) { encoder, pair in
            encoder.u64(pair.key)
            encoder.u64(pair.value)
        }
    }

    fileprivate init(from decoder: inout Decoder, version: UInt8) throws(WireError) {
        self.init(imageID: try decoder.string(), state: State(rawValue: try decoder.u32()), syncedObjects: try decoder.u64())
        syncPoints = try decoder.list(elementsOfAtLeast: 9) { (d) throws(WireError) in
            let name = try d.string(), from = try d.string()
            let object = try d.optional { (d) throws(WireError) in try d.u64() }
            return .init(JournalSnapshot(name, version >= 2 ? try SnapshotNamespace(from: &d) : .user), from: from, lastObject: object)
        }
        for _ in 0..<(try decoder.count(elementsOfAtLeast: 16)) { snapshotIDs[try decoder.u64()] = try decoder.u64() }
    }
}
