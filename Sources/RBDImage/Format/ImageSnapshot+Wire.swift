public import CephCore

extension ImageSnapshot {
    /// Decodes the record under a header's `snapshot_…` key, in the form of nautilus and later and the older ones.
    public init(record decoder: inout Decoder) throws(WireError) {
        var peek = decoder
        _ = try peek.u8()
        let compat = try peek.u8()
        self = try decoder.frame(supported: 8) { (d, version) throws(WireError) in
            try compat >= 8 ? Self(current: &d) : Self(older: &d, version: version)
        }
    }

    /// Decodes a `snapshot_get` reply, which says less than the record.
    public init(info decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            let id = try d.u64()
            let namespace = try SnapshotNamespace(from: &d)
            return Self(
                id: id, name: try d.string(), namespace: namespace, size: try d.u64(), timestamp: try CephTime(from: &d),
                childCount: try d.u32())
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
        // The parent inside the record counts where the newer field says nothing.
        if version >= 8 { parentOverlap = try d.optional { (d) throws(WireError) in try d.u64() } ?? parentOverlap }
    }

    /// Encodes the record as OSDs of nautilus and later store it.
    public var record: [UInt8] {
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

extension CephTime: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.u32(seconds)
        encoder.u32(nanoseconds)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self.init(seconds: try decoder.u32(), nanoseconds: try decoder.u32())
    }
}
