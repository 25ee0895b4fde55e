internal import CCeph

extension Image {
    /// What all sites say about a mirrored image.
    public struct MirrorStatus: Hashable, Sendable {
        public let imageName: String
        public let info: MirrorInfo
        public let sites: [Site]

        /// What this cluster's own daemon says.
        public var local: Site? { sites.first { $0.mirrorUUID.isEmpty } }
        /// What the daemons of other sites say.
        public var remotes: [Site] { sites.filter { !$0.mirrorUUID.isEmpty } }

        /// What one site's daemon says.
        public struct Site: Hashable, Sendable {
            /// Of the site's pool; empty for this cluster.
            public let mirrorUUID: String
            public let state: State
            /// Meant for people; for replay it ends with figures in JSON.
            public let description: String
            /// Since 1970.
            public let updated: Duration
            /// Whether the daemon that said it is there.
            public let isUp: Bool
        }

        /// What a daemon does with the image.
        public struct State: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt32
            public init(rawValue: UInt32) { self.rawValue = rawValue }
            public static let unknown = State(rawValue: 0)
            public static let error = State(rawValue: 1)
            public static let syncing = State(rawValue: 2)
            public static let startingReplay = State(rawValue: 3)
            public static let replaying = State(rawValue: 4)
            public static let stoppingReplay = State(rawValue: 5)
            public static let stopped = State(rawValue: 6)
        }

        init(_ status: rbd_mirror_image_global_status_t) {
            imageName = CText.string(status.name)
            info = MirrorInfo(status.info)
            sites = UnsafeBufferPointer(start: status.site_statuses, count: Int(status.site_statuses_count)).map {
                Site(
                    mirrorUUID: CText.string($0.mirror_uuid), state: State(rawValue: $0.state.rawValue),
                    description: CText.string($0.description), updated: .seconds($0.last_update), isUp: $0.up)
            }
        }
    }
}
