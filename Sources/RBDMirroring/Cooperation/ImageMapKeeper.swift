internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// The leader's work in one namespace: decides who serves which image, and has it done.
actor ImageMapKeeper {
    private let leaderObject: LeaderObject
    private let courier: Courier
    private let settings: ImageMapPolicy.Settings
    private let fence: @Sendable (String) async throws -> Void
    private let logger: Logger
    private let start = ContinuousClock.now
    /// Bounds writes to the map and assignments under way; releases may take long and are not counted.
    private let throttle = Throttle(limit: 256)

    private var policy: ImageMapPolicy?
    private var live: Set<String>
    private var awaited: Set<String>
    private var sets: (local: Set<String>?, remote: Set<String>?)
    private var actions: [UInt64: (instance: String?, task: Task<Void, Never>)] = [:]
    private var loading: Task<Void, Never>?
    private var timer: Task<Void, Never>?
    private var messages: [Int: Task<Void, Never>] = [:]
    private var lastMessage = 0
    private var isStopped = false

    /// - Parameter fence: Fences a daemon that the map knows and nobody else.
    init(
        pool: Pool, courier: Courier, settings: ImageMapPolicy.Settings, live: Set<String>, awaited: Set<String>,
        local: Set<String>?, remote: Set<String>?, logger: Logger, fence: @escaping @Sendable (String) async throws -> Void
    ) {
        leaderObject = LeaderObject(pool: pool)
        self.courier = courier
        self.settings = settings
        self.live = live
        self.awaited = awaited
        sets = (local, remote)
        self.logger = logger
        self.fence = fence
    }

    private var now: Duration { start.duration(to: .now) }

    /// Reads the map, for as long as it takes, and begins.
    func begin() {
        loading = Task {
            while !isStopped, !Task.isCancelled {
                do { return try await load() } catch {
                    logger.info("image map not read", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: settings.retryInterval)
            }
        }
    }

    /// Stops deciding; returns when nothing is under way that could still have an effect.
    func stop() async {
        isStopped = true
        timer?.cancel()
        loading?.cancel()
        let mail = actions.values.filter { $0.instance != nil }.map(\.task) + Array(messages.values)
        let writes = actions.values.filter { $0.instance == nil }.map(\.task) + [loading].compactMap(\.self)
        for task in mail + writes { task.cancel() }
        for task in writes { await task.value }
        // What was mailed is there at once; only the answer may take long.
        _ = try? await withDeadline(.milliseconds(500), for: "mail") { for task in mail { await task.value } }
    }

    private func load() async throws {
        let map = try await leaderObject.imageMap()
        let unknown = Set(map.values.map(\.instanceID)).subtracting(live).subtracting(awaited)
        for instance in unknown { try await fence(instance) }
        guard !isStopped else { return }
        let wall = CephTime.now
        let lines = map.mapValues { entry in
            let age = Int(wall.seconds) - Int(entry.mappedTime.seconds)
            return ImageMapPolicy.Mapped(instance: entry.instanceID, age: .seconds(age), data: entry.data)
        }
        policy = ImageMapPolicy(own: courier.own, live: live, awaited: awaited, map: lines, settings: settings, at: now)
        decide { $0.start(at: $1) }
        let sets = sets
        decide { $0.imagesChanged(local: sets.local, remote: sets.remote, at: $1) }
    }

    func imagesChanged(local: Set<String>?, remote: Set<String>?) {
        sets = (local, remote)
        decide { $0.imagesChanged(local: local, remote: remote, at: $1) }
    }

    func added(_ instances: Set<String>) {
        live.formUnion(instances)
        awaited.subtract(instances)
        decide { $0.added(instances, at: $1) }
    }

    func awaiting(_ instances: Set<String>) {
        awaited.formUnion(instances)
        policy?.awaiting(instances)
    }

    func removed(_ instance: String) {
        live.remove(instance)
        awaited.remove(instance)
        decide { $0.removed([instance], at: $1) }
        for action in actions.values where action.instance == instance { action.task.cancel() }
    }

    /// Images each daemon serves or is about to.
    func count(of instance: String) -> Int { policy?.count(of: instance) ?? 0 }
}

extension ImageMapKeeper {
    /// Lets the policy decide, and starts what it wants done.
    private func decide(_ change: (inout ImageMapPolicy, Duration) -> [ImageMapPolicy.Action]) {
        guard !isStopped, policy != nil else { return }
        for action in change(&policy!, now) { begin(action) }
        timer?.cancel()
        guard let deadline = policy!.deadline else { return }
        let end = start + deadline
        timer = Task {
            guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
            decide { $0.tick(at: $1) }
        }
    }

    private func begin(_ action: ImageMapPolicy.Action) {
        let instance: String? = switch action.kind {
        case .acquire(let instance), .release(let instance): instance
        case .updateMap, .removeMap: nil
        }
        let task = Task {
            var success = true
            do { try await perform(action) } catch {
                success = false
                if !Task.isCancelled {
                    logger.info("assignment failed, to be repeated", metadata: [
                        "rbd.image": "\(action.globalID)", "action": "\(action.kind)", "error": "\(error)",
                    ])
                }
            }
            actions[action.ticket] = nil
            decide { $0.completed(action, success: success, at: $1) }
        }
        actions[action.ticket] = (instance, task)
    }

    private func perform(_ action: ImageMapPolicy.Action) async throws {
        switch action.kind {
        case .updateMap(let instance, let data):
            let entry = MirrorImageMapEntry(instanceID: instance, mappedTime: .now, data: data ?? MirrorImageMapEntry.noData)
            try await throttle.withPermit { try await leaderObject.map(action.globalID, to: entry) }
        case .removeMap: try await throttle.withPermit { try await leaderObject.unmap(action.globalID) }
        case .acquire(let instance):
            try await throttle.withPermit { try await send(.acquireImage(action.globalID), to: instance) }
        case .release(let instance): try await send(.releaseImage(action.globalID), to: instance)
        }
    }

    private func send(_ body: InstanceRequest.Body, to instance: String) async throws {
        let result = try await courier.send(body, to: instance)
        guard result >= 0 else {
            throw CephError(code: result, operation: "image assignment", subject: "instance \(instance)")
        }
    }

    /// Tells the daemon that serves an image that its peer has lost it; one that takes it over meanwhile sees for itself.
    func peerImageRemoved(_ globalID: String, mirrorUUID: String) {
        guard !isStopped, let holder = policy?.holder(of: globalID) else { return }
        lastMessage += 1
        let id = lastMessage
        messages[id] = Task {
            while !Task.isCancelled, policy?.holder(of: globalID) == holder {
                let result = try? await courier.send(.peerRemovedImage(globalID, mirrorUUID: mirrorUUID), to: holder)
                if result == 0 { break }
                try? await Task.sleep(for: settings.retryInterval)
            }
            messages[id] = nil
        }
    }
}
