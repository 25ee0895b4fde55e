internal import CCeph
internal import Glibc

extension Image {
    /// A snapshot of an image, of any namespace.
    public struct Snapshot: Hashable, Sendable, Identifiable {
        public let id: UInt64
        public let name: String
        /// Bytes of the image when it was made.
        public let size: UInt64
        public let kind: Kind

        /// What a snapshot is for.
        public enum Kind: Hashable, Sendable {
            case user
            case group(pool: Int64, group: String, snapshot: String)
            /// Removed by its owner, kept while clones need it.
            case trash(originalName: String)
            case mirror(MirrorFields)
            /// A namespace this version does not know.
            case unknown(UInt32)
        }

        /// The fields of a mirror snapshot.
        public var mirror: MirrorFields? { if case .mirror(let fields) = kind { fields } else { nil } }
    }

    /// What a mirror snapshot says.
    public struct MirrorFields: Hashable, Sendable {
        public let state: MirrorSnapshotState
        /// On a replica, whether all of its data has arrived; on a primary, whether it is whole.
        public let isComplete: Bool
        /// The uuids of the peers that still need it.
        public let peers: [String]
        /// On a replica: the mirror uuid of the source's pool.
        public let primaryMirrorUUID: String
        /// On a replica: the source's snapshot.
        public let primarySnapshotID: UInt64
        /// On a replica: index of the last object copied without a gap; what it means for a complete one is its writer's affair.
        public let lastCopiedObject: UInt64
    }

    /// Whose point in time a mirror snapshot is.
    public struct MirrorSnapshotState: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let primary = MirrorSnapshotState(rawValue: 0)
        public static let primaryDemoted = MirrorSnapshotState(rawValue: 1)
        public static let nonPrimary = MirrorSnapshotState(rawValue: 2)
        public static let nonPrimaryDemoted = MirrorSnapshotState(rawValue: 3)
    }

    /// The snapshots of all namespaces, by id.
    ///
    /// A read-only image shows those that were there when it was opened.
    /// - C calls: `rbd_snap_list`, `rbd_snap_get_namespace_type`, `rbd_snap_get_mirror_namespace` and its kin
    public func snapshots() async throws(CephError) -> [Snapshot] {
        let reader = SnapshotReader(subject: subject)
        return try await lend("rbd_snap_list") { (image) throws(CephError) in try reader.list(image) }
    }
}

/// Lists snapshots with what their namespaces say.
private struct SnapshotReader: Sendable {
    let subject: String

    func list(_ image: rbd_image_t) throws(CephError) -> [Image.Snapshot] {
        var (entries, _) = try CText.list(of: rbd_snap_info_t(), from: CInt(16), "rbd_snap_list", on: subject) {
            rbd_snap_list(image, $0, $1)
        }
        // The list ends with an entry without a name.
        defer { rbd_snap_list_end(&entries) }
        var snapshots: [Image.Snapshot] = []
        for entry in entries.prefix(while: { $0.name != nil }) {
            guard let kind = try kind(image, entry.id) else { continue }
            snapshots.append(Image.Snapshot(id: entry.id, name: CText.string(entry.name), size: entry.size, kind: kind))
        }
        return snapshots
    }

    /// Nil for a snapshot that has gone in the meantime.
    private func kind(_ image: rbd_image_t, _ id: UInt64) throws(CephError) -> Image.Snapshot.Kind? {
        do throws(CephError) {
            var type = rbd_snap_namespace_type_t(0)
            try check(rbd_snap_get_namespace_type(image, id, &type), "rbd_snap_get_namespace_type", on: place(id))
            switch type {
            case RBD_SNAP_NAMESPACE_TYPE_USER: return .user
            case RBD_SNAP_NAMESPACE_TYPE_GROUP: return try group(image, id)
            case RBD_SNAP_NAMESPACE_TYPE_TRASH: return try trash(image, id)
            case RBD_SNAP_NAMESPACE_TYPE_MIRROR: return try mirror(image, id)
            default: return .unknown(type.rawValue)
            }
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func group(_ image: rbd_image_t, _ id: UInt64) throws(CephError) -> Image.Snapshot.Kind {
        let size = MemoryLayout<rbd_snap_group_namespace_t>.size
        var fields = rbd_snap_group_namespace_t()
        try check(rbd_snap_get_group_namespace(image, id, &fields, size), "rbd_snap_get_group_namespace", on: place(id))
        defer { rbd_snap_group_namespace_cleanup(&fields, size) }
        return .group(
            pool: fields.group_pool, group: CText.string(fields.group_name), snapshot: CText.string(fields.group_snap_name))
    }

    private func trash(_ image: rbd_image_t, _ id: UInt64) throws(CephError) -> Image.Snapshot.Kind {
        .trash(originalName: try grown(from: 256, "rbd_snap_get_trash_namespace", on: place(id)) {
            rbd_snap_get_trash_namespace(image, id, $0, $1)
        })
    }

    private func mirror(_ image: rbd_image_t, _ id: UInt64) throws(CephError) -> Image.Snapshot.Kind {
        let size = MemoryLayout<rbd_snap_mirror_namespace_t>.size
        var fields = rbd_snap_mirror_namespace_t()
        try check(rbd_snap_get_mirror_namespace(image, id, &fields, size), "rbd_snap_get_mirror_namespace", on: place(id))
        defer { rbd_snap_mirror_namespace_cleanup(&fields, size) }
        return .mirror(Image.MirrorFields(
            state: Image.MirrorSnapshotState(rawValue: fields.state.rawValue), isComplete: fields.complete,
            peers: texts(fields.mirror_peer_uuids, count: fields.mirror_peer_uuids_count),
            primaryMirrorUUID: CText.string(fields.primary_mirror_uuid), primarySnapshotID: fields.primary_snap_id,
            lastCopiedObject: fields.last_copied_object_number))
    }

    /// Texts one after the other, each with a zero at its end.
    private func texts(_ start: UnsafeMutablePointer<CChar>?, count: Int) -> [String] {
        var next = start
        return (0..<count).compactMap { _ in
            guard let text = next else { return nil }
            next = text + strlen(text) + 1
            return String(cString: text)
        }
    }

    private func place(_ id: UInt64) -> String { "\(subject) snapshot \(id)" }
}
