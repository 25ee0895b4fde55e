internal import CCeph
internal import Glibc

extension Pool {
    /// A site that a pool mirrors with.
    public struct MirrorPeer: Hashable, Sendable, Identifiable {
        /// Of the entry; mirror snapshots name peers so.
        public let uuid: String
        public let direction: Direction
        public let siteName: String
        /// Of the pool on the other site, once its daemon has been seen.
        public let mirrorUUID: String
        /// The user there, as in `client.rbd-mirror-peer`.
        public let clientName: String
        /// Since 1970; zero for never.
        public let lastSeen: Duration

        public var id: String { uuid }

        /// Which way images go, seen from this site.
        public struct Direction: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt32
            public init(rawValue: UInt32) { self.rawValue = rawValue }
            /// Images come from there to here.
            public static let receives = Direction(rawValue: 0)
            /// Images go from here to there.
            public static let sends = Direction(rawValue: 1)
            public static let both = Direction(rawValue: 2)
        }
    }

    /// How this site's daemon reaches a peer.
    public struct MirrorPeerAttributes: Hashable, Sendable {
        /// In the syntax of `mon_host`; nil where the peer's configuration file says it.
        public var monitorHosts: String?
        /// The key of the peer's user; nil where a keyring has it.
        public var key: Secret?

        public init(monitorHosts: String? = nil, key: Secret? = nil) {
            self.monitorHosts = monitorHosts
            self.key = key
        }
    }

    /// The sites the pool mirrors with.
    ///
    /// - C call: `rbd_mirror_peer_site_list`
    public func mirrorPeers() async throws(CephError) -> [MirrorPeer] {
        try await lendImages("rbd_mirror_peer_site_list") { (io, place) throws(CephError) in
            var (peers, count) = try CText.list(of: rbd_mirror_peer_site_t(), from: CInt(8), "rbd_mirror_peer_site_list", on: place) {
                rbd_mirror_peer_site_list(io, $0, $1)
            }
            defer { rbd_mirror_peer_site_list_cleanup(&peers, CInt(count)) }
            return peers.prefix(count).map {
                MirrorPeer(
                    uuid: CText.string($0.uuid), direction: .init(rawValue: $0.direction.rawValue),
                    siteName: CText.string($0.site_name), mirrorUUID: CText.string($0.mirror_uuid),
                    clientName: CText.string($0.client_name), lastSeen: .seconds($0.last_seen))
            }
        }
    }

    /// Adds a site to mirror with and returns the uuid of the entry.
    ///
    /// - Throws: `EEXIST` for a site that is known already; `EINVAL` while mirroring is off.
    /// - C call: `rbd_mirror_peer_site_add`
    public func addMirrorPeer(
        site: String, client: String, direction: MirrorPeer.Direction = .both
    ) async throws(CephError) -> String {
        try await lendImages("rbd_mirror_peer_site_add", on: site) { (io, place) throws(CephError) in
            try grown(from: 64, "rbd_mirror_peer_site_add", on: place) {
                rbd_mirror_peer_site_add(io, $0, $1, rbd_mirror_peer_direction_t(direction.rawValue), site, client)
            }
        }
    }

    /// Removes a site, also from what mirror snapshots wait for.
    ///
    /// - C call: `rbd_mirror_peer_site_remove`
    public func removeMirrorPeer(_ uuid: String) async throws(CephError) {
        try await performImages("rbd_mirror_peer_site_remove", on: "peer \(uuid)") { rbd_mirror_peer_site_remove($0, uuid) }
    }

    /// Renames a site.
    ///
    /// - C call: `rbd_mirror_peer_site_set_name`
    public func setMirrorPeer(_ uuid: String, siteName: String) async throws(CephError) {
        try await performImages("rbd_mirror_peer_site_set_name", on: "peer \(uuid)") {
            rbd_mirror_peer_site_set_name($0, uuid, siteName)
        }
    }

    /// Changes the user at a site.
    ///
    /// - C call: `rbd_mirror_peer_site_set_client_name`
    public func setMirrorPeer(_ uuid: String, clientName: String) async throws(CephError) {
        try await performImages("rbd_mirror_peer_site_set_client_name", on: "peer \(uuid)") {
            rbd_mirror_peer_site_set_client_name($0, uuid, clientName)
        }
    }

    /// Changes which way images go.
    ///
    /// - C call: `rbd_mirror_peer_site_set_direction`
    public func setMirrorPeer(_ uuid: String, direction: MirrorPeer.Direction) async throws(CephError) {
        try await performImages("rbd_mirror_peer_site_set_direction", on: "peer \(uuid)") {
            rbd_mirror_peer_site_set_direction($0, uuid, rbd_mirror_peer_direction_t(direction.rawValue))
        }
    }

    /// How the daemon reaches a peer; empty when a file on its machine says so.
    ///
    /// - Throws: `ENOENT` for an unknown peer; `EPERM` without the right to read the monitors' configuration keys.
    /// - C call: `rbd_mirror_peer_site_get_attributes`
    public func mirrorPeerAttributes(_ uuid: String) async throws(CephError) -> MirrorPeerAttributes {
        try await lendImages("rbd_mirror_peer_site_get_attributes", on: "peer \(uuid)") { (io, place) throws(CephError) in
            var room = (keys: 128, values: 1024, pairs: 8)
            while true {
                var keys = [CChar](repeating: 0, count: room.keys)
                var values = [CChar](repeating: 0, count: room.values)
                var used = room
                let code = rbd_mirror_peer_site_get_attributes(io, uuid, &keys, &used.keys, &values, &used.values, &used.pairs)
                guard code == -ERANGE else {
                    try check(code, "rbd_mirror_peer_site_get_attributes", on: place)
                    let pairs = zip(CText.split(keys).prefix(used.pairs), CText.split(values))
                    return MirrorPeerAttributes(Dictionary(pairs) { first, _ in first })
                }
                room = (max(used.keys, room.keys), max(used.values, room.values), max(used.pairs, room.pairs))
            }
        }
    }

    /// Says how the daemon reaches a peer.
    ///
    /// - C call: `rbd_mirror_peer_site_set_attributes`
    public func setMirrorPeer(_ uuid: String, attributes: MirrorPeerAttributes) async throws(CephError) {
        let pairs = attributes.pairs
        let keys = pairs.flatMap { Array($0.key.utf8CString) }
        let values = pairs.flatMap { Array($0.value.utf8CString) }
        try await performImages("rbd_mirror_peer_site_set_attributes", on: "peer \(uuid)") {
            rbd_mirror_peer_site_set_attributes($0, uuid, keys, values, pairs.count)
        }
    }

    /// Makes a token with which another site becomes a peer of this pool.
    ///
    /// Makes the user `client.rbd-mirror-peer` when there is none.
    /// - C call: `rbd_mirror_peer_bootstrap_create`
    public func createMirrorBootstrapToken() async throws(CephError) -> Secret {
        try await lendImages("rbd_mirror_peer_bootstrap_create") { (io, place) throws(CephError) in
            Secret(try CText.sized(from: 4096, "rbd_mirror_peer_bootstrap_create", on: place) {
                rbd_mirror_peer_bootstrap_create(io, $0, $1)
            })
        }
    }

    /// Makes the pool a peer of the one a token is from.
    ///
    /// Connects to the other site.
    /// - C call: `rbd_mirror_peer_bootstrap_import`
    public func importMirrorBootstrapToken(
        _ token: Secret, direction: MirrorPeer.Direction = .both
    ) async throws(CephError) {
        try await performImages("rbd_mirror_peer_bootstrap_import") {
            rbd_mirror_peer_bootstrap_import($0, rbd_mirror_peer_direction_t(direction.rawValue), token.revealed)
        }
    }
}

extension Pool.MirrorPeerAttributes {
    fileprivate init(_ pairs: [String: String]) {
        monitorHosts = pairs[RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST]
        key = pairs[RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY].map { Secret($0) }
    }

    fileprivate var pairs: [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        if let monitorHosts { pairs.append((RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST, monitorHosts)) }
        if let key { pairs.append((RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY, key.revealed)) }
        return pairs
    }
}
