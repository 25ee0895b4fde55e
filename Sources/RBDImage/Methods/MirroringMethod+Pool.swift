public import CephCore

/// Setting up a pool, and its statuses as a whole.
extension MirroringMethod {
    private static func call(_ method: String, _ body: (inout Encoder) -> Void) -> ClassCall { HeaderMethod.call(method, body) }

    /// `EINVAL` while mirroring is enabled.
    public static func uuidSet(_ uuid: String) -> ClassCall { call("mirror_uuid_set") { $0.string(uuid) } }

    /// Enabling needs a uuid; disabling fails with `EBUSY` while there are image records, and drops the uuid.
    public static func modeSet(_ mode: MirrorMode) -> ClassCall { call("mirror_mode_set") { $0.u32(mode.rawValue) } }

    /// `EEXIST` for a known site, `EINVAL` for a peer that only transmits, `ESTALE` for a known uuid.
    public static func peerAdd(_ peer: MirrorPeer) -> ClassCall { call("mirror_peer_add") { peer.encode(into: &$0) } }

    /// Succeeds when there is no such peer.
    public static func peerRemove(uuid: String) -> ClassCall { call("mirror_peer_remove") { $0.string(uuid) } }

    /// Calls `mirror_peer_set_client`.
    public static func peerSetClient(uuid: String, _ client: String) -> ClassCall {
        call("mirror_peer_set_client") {
            $0.string(uuid)
            $0.string(client)
        }
    }

    /// Calls `mirror_peer_set_cluster`.
    public static func peerSetSite(uuid: String, _ site: String) -> ClassCall {
        call("mirror_peer_set_cluster") {
            $0.string(uuid)
            $0.string(site)
        }
    }

    /// Calls `mirror_peer_set_direction`.
    public static func peerSetDirection(uuid: String, _ direction: MirrorPeer.Direction) -> ClassCall {
        call("mirror_peer_set_direction") {
            $0.string(uuid)
            $0.u8(direction.rawValue)
        }
    }

    /// The namespace that this one is paired with; newer releases only.
    public static func remoteNamespaceGet() -> ClassQuery<String> {
        HeaderMethod.query("mirror_remote_namespace_get") { (d) throws(WireError) in try d.string() }
    }

    /// Calls `mirror_remote_namespace_set`.
    public static func remoteNamespaceSet(_ name: String) -> ClassCall {
        call("mirror_remote_namespace_set") { $0.string(name) }
    }
}

extension MirroringMethod {
    /// An image's record and status.
    public typealias ListedStatus = (id: String, image: MirrorImage, status: MirrorImageStatus?)

    /// Records and statuses, ascending by image id.
    public static func statusList(after: String, limit: UInt64) -> ClassQuery<[ListedStatus]> {
        HeaderMethod.query("mirror_image_status_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            let images = try d.list(elementsOfAtLeast: 15) { (d) throws(WireError) in (try d.string(), try MirrorImage(from: &d)) }
            var statuses: [String: MirrorImageStatus] = [:]
            for _ in 0..<(try d.count(elementsOfAtLeast: 10)) { statuses[try d.string()] = try MirrorImageStatus(from: &d) }
            return images.map { (id: $0.0, image: $0.1, status: statuses[$0.0]) }
        }
    }

    /// How many images are in each state, the worst of all sites counting.
    ///
    /// - Parameter peers: Whose statuses count.
    public static func statusSummary(of peers: [MirrorPeer]) -> ClassQuery<[MirrorSiteStatus.State: Int]> {
        HeaderMethod.query("mirror_image_status_get_summary", { $0.list(peers) { $1.encode(into: &$0) } }) {
            (d) throws(WireError) in
            var counts: [MirrorSiteStatus.State: Int] = [:]
            for _ in 0..<(try d.count(elementsOfAtLeast: 5)) {
                counts[MirrorSiteStatus.State(rawValue: try d.u8())] = Int(try d.i32())
            }
            return counts
        }
    }

    /// The client that wrote an image's local status.
    public static func imageInstanceGet(globalID: String) -> ClassQuery<EntityInstance> {
        HeaderMethod.query("mirror_image_instance_get", { $0.string(globalID) }) { (d) throws(WireError) in
            try EntityInstance(from: &d)
        }
    }

    /// - Parameter after: An image id.
    public static func imageInstanceList(
        after: String, limit: UInt64
    ) -> ClassQuery<[(id: String, instance: EntityInstance)]> {
        HeaderMethod.query("mirror_image_instance_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 20) { (d) throws(WireError) in (try d.string(), try EntityInstance(from: &d)) }
        }
    }
}
