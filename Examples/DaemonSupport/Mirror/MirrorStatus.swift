internal import AdminSocket

/// A pool's replication from one peer, as `rbd mirror status` shows it.
public struct PoolReplayerStatus: Sendable, Hashable {
    /// An open set of the words Ceph uses.
    public struct State: Sendable, Hashable {
        let text: String

        public static let running = State(text: "running")
        public static let stopped = State(text: "stopped")
        public static let stoppedManually = State(text: "stopped (manual)")
    }

    public var pool: String
    public var peerUUID: String
    /// The peer's site name.
    public var peerSite: String
    /// The user on the peer, as `client.rbd-mirror-peer`.
    public var peerClient: String
    public var state = State.running
    /// This daemon's client id in the pool.
    public var instanceID: String
    /// Empty where no leader is known.
    public var leaderInstanceID = ""
    public var isLeader = false
    /// All daemons on the pool; shown by the leader alone.
    public var instances: [String] = []
    /// Empty where there is none.
    public var localAdminSocket = ""
    public var remoteAdminSocket = ""
    public var syncs: ThrottleStatus
    public var deletions: ThrottleStatus
    public var images: [ImageReplayerStatus] = []
    public var deleter = DeleterStatus()
    public var namespaces: [NamespaceStatus] = []

    public init(
        pool: String, peerUUID: String, peerSite: String, peerClient: String, instanceID: String,
        syncs: ThrottleStatus, deletions: ThrottleStatus
    ) {
        self.pool = pool
        self.peerUUID = peerUUID
        self.peerSite = peerSite
        self.peerClient = peerClient
        self.instanceID = instanceID
        self.syncs = syncs
        self.deletions = deletions
    }

    /// The images of the pool and of all its namespaces.
    var allImages: [ImageReplayerStatus] { images + namespaces.flatMap(\.images) }
}

/// A replayer of one image.
public struct ImageReplayerStatus: Sendable, Hashable {
    /// An open set of the words Ceph uses.
    public struct State: Sendable, Hashable {
        let text: String

        public static let starting = State(text: "Starting")
        public static let replaying = State(text: "Replaying")
        public static let stopping = State(text: "Stopping")
        public static let stopped = State(text: "Stopped")
    }

    /// As `pool/image` or `pool/namespace/image`.
    public var spec: String
    public var state: State

    public init(spec: String, state: State) {
        self.spec = spec
        self.state = state
    }
}

/// One namespace of a pool.
public struct NamespaceStatus: Sendable, Hashable {
    public var name: String
    public var images: [ImageReplayerStatus]
    public var deleter: DeleterStatus

    public init(name: String, images: [ImageReplayerStatus], deleter: DeleterStatus = DeleterStatus()) {
        self.name = name
        self.images = images
        self.deleter = deleter
    }
}

/// How much of a limited kind of work is going on.
public struct ThrottleStatus: Sendable, Hashable {
    public var limit: Int
    public var running: Int
    public var waiting: Int

    public init(limit: Int, running: Int = 0, waiting: Int = 0) {
        self.limit = limit
        self.running = running
        self.waiting = waiting
    }
}

/// Replicas whose source is gone.
public struct DeleterStatus: Sendable, Hashable {
    /// A deletion that failed and will be tried again.
    public struct Failure: Sendable, Hashable {
        public var imageID: String
        /// As `(16) Device or resource busy`.
        public var error: String
        public var retries: Int

        public init(imageID: String, error: String, retries: Int) {
            self.imageID = imageID
            self.error = error
            self.retries = retries
        }
    }

    /// Ids of images to be deleted.
    public var queue: [String]
    public var failed: [Failure]

    public init(queue: [String] = [], failed: [Failure] = []) {
        self.queue = queue
        self.failed = failed
    }
}

// The documents of a 16.2 daemon, key by key and in its order.

extension PoolReplayerStatus {
    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("peer", .string("uuid: \(peerUUID) cluster: \(peerSite) client: \(peerClient)")),
            .init("pool", .string(pool)),
            .init("instance_id", .string(instanceID)),
            .init("state", .string(state.text)),
            .init("leader_instance_id", .string(leaderInstanceID)),
            .init("leader", .bool(isLeader)),
        ]
        if isLeader { members.append(.init("instances", .array(instances.map { .string($0) }))) }
        members += [
            .init("local_cluster_admin_socket", .string(localAdminSocket)),
            .init("remote_cluster_admin_socket", .string(remoteAdminSocket)),
            .init("sync_throttler", syncs.document),
            .init("deletion_throttler", deletions.document),
            .init("image_replayers", .array(images.map(\.document))),
            .init("image_deleter", ["image_deleter_status": deleter.document]),
            .init("namespaces", .array(namespaces.map(\.document))),
        ]
        return .object(members)
    }
}

extension ImageReplayerStatus {
    var document: JSONValue { ["name": .string(spec), "state": .string(state.text)] }
}

extension NamespaceStatus {
    fileprivate var document: JSONValue {
        [
            "name": .string(name), "image_replayers": .array(images.map(\.document)),
            "image_deleter": ["image_deleter_status": deleter.document],
        ]
    }
}

extension ThrottleStatus {
    fileprivate var document: JSONValue {
        [
            "max_parallel_requests": .integer(Int64(limit)), "running_requests": .integer(Int64(running)),
            "waiting_requests": .integer(Int64(waiting)),
        ]
    }
}

extension DeleterStatus {
    var document: JSONValue {
        [
            "delete_images_queue": .array(queue.map { ["image_id": .string($0)] }),
            "failed_deletes_queue": .array(
                failed.map {
                    ["image_id": .string($0.imageID), "error_code": .string($0.error), "retries": .integer(Int64($0.retries))]
                }),
        ]
    }
}
