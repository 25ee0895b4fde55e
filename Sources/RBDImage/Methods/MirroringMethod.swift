public import CephCore

/// Class methods of `rbd_mirroring` and `rbd_mirror_leader`.
public enum MirroringMethod {
    private static func call(_ method: String, _ body: (inout Encoder) -> Void = { _ in }) -> ClassCall {
        HeaderMethod.call(method, body)
    }

    // MARK: Pool

    /// Calls `mirror_uuid_get`.
    public static func uuidGet() -> ClassCall { call("mirror_uuid_get") }
    /// Calls `mirror_mode_get`.
    public static func modeGet() -> ClassCall { call("mirror_mode_get") }
    /// Calls `mirror_peer_list`.
    public static func peerList() -> ClassCall { call("mirror_peer_list") }

    /// Makes or refreshes the record of the site that pulls; `EINVAL` for an empty name or uuid.
    public static func peerPing(siteName: String, mirrorUUID: String) -> ClassCall {
        call("mirror_peer_ping") {
            $0.string(siteName)
            $0.string(mirrorUUID)
            $0.u8(MirrorPeer.Direction.transmit.rawValue)
        }
    }

    // MARK: Images

    /// Calls `mirror_image_list`.
    public static func imageList(after: String, limit: UInt64) -> ClassCall {
        call("mirror_image_list") {
            $0.string(after)
            $0.u64(limit)
        }
    }

    /// Calls `mirror_image_get`.
    public static func imageGet(id: String) -> ClassCall { call("mirror_image_get") { $0.string(id) } }
    /// Calls `mirror_image_get_image_id`.
    public static func imageGetImageID(globalID: String) -> ClassCall {
        call("mirror_image_get_image_id") { $0.string(globalID) }
    }
    /// `EEXIST` when the global id belongs to another image, `EINVAL` when this image has another one.
    public static func imageSet(id: String, _ image: MirrorImage) -> ClassCall {
        call("mirror_image_set") {
            $0.string(id)
            image.encode(into: &$0)
        }
    }
    /// `EBUSY` unless the record is *disabling*.
    public static func imageRemove(id: String) -> ClassCall { call("mirror_image_remove") { $0.string(id) } }

    // MARK: Statuses

    /// Calls `mirror_image_status_set`.
    public static func statusSet(globalID: String, _ status: MirrorSiteStatus) -> ClassCall {
        call("mirror_image_status_set") {
            $0.string(globalID)
            status.encode(into: &$0)
        }
    }
    /// - Parameter mirrorUUID: The writer's, for a status that a peer wrote.
    public static func statusRemove(globalID: String, mirrorUUID: String? = nil) -> ClassCall {
        call("mirror_image_status_remove") {
            $0.string(globalID)
            if let mirrorUUID { $0.string(mirrorUUID) }
        }
    }

    /// Calls `mirror_image_status_get`.
    public static func statusGet(globalID: String) -> ClassCall { call("mirror_image_status_get") { $0.string(globalID) } }
    /// Calls `mirror_image_status_remove_down`.
    public static func statusRemoveDown() -> ClassCall { call("mirror_image_status_remove_down") }

    // MARK: Leader object

    /// Calls `mirror_instances_list`.
    public static func instancesList() -> ClassCall { call("mirror_instances_list") }
    /// Calls `mirror_instances_add`.
    public static func instancesAdd(_ id: String) -> ClassCall { call("mirror_instances_add") { $0.string(id) } }
    /// Calls `mirror_instances_remove`.
    public static func instancesRemove(_ id: String) -> ClassCall { call("mirror_instances_remove") { $0.string(id) } }
    /// Calls `mirror_image_map_list`.
    public static func imageMapList(after: String, limit: UInt64) -> ClassCall {
        call("mirror_image_map_list") {
            $0.string(after)
            $0.u64(limit)
        }
    }

    /// Calls `mirror_image_map_update`.
    public static func imageMapUpdate(globalID: String, _ entry: MirrorImageMapEntry) -> ClassCall {
        call("mirror_image_map_update") {
            $0.string(globalID)
            entry.encode(into: &$0)
        }
    }

    /// Calls `mirror_image_map_remove`.
    public static func imageMapRemove(globalID: String) -> ClassCall {
        call("mirror_image_map_remove") { $0.string(globalID) }
    }
}
