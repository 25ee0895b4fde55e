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
        encoder.list(peers.sorted()) { $0.string($1) }
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

extension CephTime: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.u32(seconds)
        encoder.u32(nanoseconds)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self.init(seconds: try decoder.u32(), nanoseconds: try decoder.u32())
    }
}

extension ImageSnapshot {
    /// Decodes the record under a header's `snapshot_…` key, in the form of nautilus and later and the older ones.
    init(record decoder: inout Decoder) throws(WireError) {
        let start = decoder
        var peek = start
        _ = try peek.u8()
        let compat = try peek.u8()
        self = try decoder.frame(supported: 8) { (d, version) throws(WireError) in
            try compat >= 8 ? Self(current: &d) : Self(older: &d, version: version)
        }
    }

    private init(current d: inout Decoder) throws(WireError) {
        let id = try d.u64()
        let name = try d.string()
        let size = try d.u64()
        let protection = SnapshotProtection(rawValue: try d.u8())
        let flags = ImageFlags(rawValue: try d.u64())
        self.init(
            id: id, name: name, namespace: try SnapshotNamespace(from: &d), size: size, timestamp: try CephTime(from: &d),
            childCount: try d.u32(), protection: protection, flags: flags,
            parentOverlap: try d.optional { (d) throws(WireError) in try d.u64() })
    }

    private init(older d: inout Decoder, version: UInt8) throws(WireError) {
        self.init(id: try d.u64(), name: try d.string(), size: try d.u64())
        _ = try d.u64()
        if version >= 2 {
            let parent = try ParentRecord(from: &d)
            parentOverlap = parent.poolID < 0 ? nil : parent.headOverlap
        }
        if version >= 3 { protection = SnapshotProtection(rawValue: try d.u8()) }
        if version >= 4 { flags = ImageFlags(rawValue: try d.u64()) }
        if version >= 5 { namespace = try SnapshotNamespace(from: &d) }
        if version >= 6 { timestamp = try CephTime(from: &d) }
        if version >= 7 { childCount = try d.u32() }
        if version >= 8 { parentOverlap = try d.optional { (d) throws(WireError) in try d.u64() } }
    }

    /// Encodes the record as OSDs of nautilus and later store it.
    var record: [UInt8] {
        Encoder.encode {
            $0.frame(version: 8, compat: 8) {
                $0.u64(id)
                $0.string(name)
                $0.u64(size)
                $0.u8(protection.rawValue)
                $0.u64(flags.rawValue)
                namespace.encode(into: &$0)
                timestamp.encode(into: &$0)
                $0.u32(childCount)
                $0.optional(parentOverlap) { $0.u64($1) }
            }
        }
    }
}
