public import CephCore

extension SnapshotNamespace: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { encoder in
            switch self {
            case .user: encoder.u32(0)
            case .group(let group):
                encoder.u32(1)
                encoder.i64(group.pool)
                encoder.string(group.group)
                encoder.string(group.snapshot)
            case .trash(let name, let type):
                encoder.u32(2)
                encoder.string(name)
                encoder.u32(type)
            case .mirror(let mirror):
                encoder.u32(3)
                mirror.encodeBody(into: &encoder)
            case .unknown(let type, let body):
                encoder.u32(type)
                encoder.raw(body)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in
            switch try decoder.u32() {
            case 0: .user
            case 1: .group(GroupSnapshot(
                pool: try decoder.i64(), group: try decoder.string(), snapshot: try decoder.string()))
            case 2: .trash(originalName: try decoder.string(), originalType: try decoder.u32())
            case 3: .mirror(try MirrorSnapshot(body: &decoder))
            case let type: .unknown(type: type, body: Array(try decoder.raw(decoder.remaining)))
            }
        }
    }
}

extension MirrorSnapshot {
    func encodeBody(into encoder: inout Encoder) {
        encoder.u8(state.rawValue)
        encoder.bool(complete)
        encoder.list(peers.sorted { $0.precedesByBytes($1) }) { $0.string($1) }
        encoder.string(primaryMirrorUUID)
        encoder.u64(primarySnapshotID)
        encoder.u64(lastCopiedObject)
        encoder.list(snapshotIDs.sorted { $0.key < $1.key }) { encoder, pair in
            encoder.u64(pair.key)
            encoder.u64(pair.value)
        }
    }

    init(body decoder: inout Decoder) throws(WireError) {
        self.init(
            state: State(rawValue: try decoder.u8()), complete: try decoder.bool(),
            peers: Set(try decoder.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.string() }),
            primaryMirrorUUID: try decoder.string(), primarySnapshotID: try decoder.u64(),
            lastCopiedObject: try decoder.u64())
        for (source, local) in try decoder.list(elementsOfAtLeast: 16, { (d) throws(WireError) in (try d.u64(), try d.u64()) }) {
            snapshotIDs[source] = local
        }
    }
}
