/// Which daemon serves which image of a pool (or namespace), as its leader decides it.
///
/// A pure value. It compares what is wanted with what is known of each image and gives, for each, the next action
/// that leads there: an image that moves is released by its old daemon, mapped on disk, acquired by the new one; at most one
/// action an image is under way. The shell performs actions and reports each with ``completed(_:success:at:)``.
/// Times are since any fixed start.
public struct ImageMapPolicy: Sendable {
    /// How images are spread and moved.
    public struct Settings: Hashable, Sendable {
        public var spread: Spread
        /// An image is not moved for balance's sake more often than this (`rbd_mirror_image_policy_migration_throttle`).
        public var migrationThrottle: Duration
        /// The pause before a failed action is tried again (`rbd_mirror_image_policy_update_throttle_interval`).
        public var retryInterval: Duration
        /// Balance is also restored so long after the last change; zero is never (`rbd_mirror_image_policy_rebalance_timeout`).
        public var rebalanceTimeout: Duration

        public init(
            spread: Spread = .even, migrationThrottle: Duration = .seconds(300), retryInterval: Duration = .seconds(1),
            rebalanceTimeout: Duration = .zero
        ) {
            self.spread = spread
            self.migrationThrottle = migrationThrottle
            self.retryInterval = retryInterval
            self.rebalanceTimeout = rebalanceTimeout
        }
    }

    /// How images are shared (`rbd_mirror_image_policy_type`).
    public enum Spread: String, Hashable, Sendable {
        /// All daemons serve about as many.
        case even = "simple"
        /// The leader serves all.
        case leaderOnly = "none"
    }

    /// One thing to do for one image.
    public struct Action: Hashable, Sendable {
        /// What is to be done.
        public enum Kind: Hashable, Sendable {
            /// Write on disk that this instance serves the image, with the policy data it had.
            case updateMap(instance: String, data: [UInt8]?)
            case removeMap
            case acquire(instance: String)
            case release(instance: String)
        }

        /// Names the action in ``completed(_:success:at:)``.
        public let ticket: UInt64
        public let globalID: String
        public let kind: Kind
    }

    /// One image's line in the map on disk.
    public struct Mapped: Hashable, Sendable {
        public var instance: String
        /// How long ago it was mapped.
        public var age: Duration
        public var data: [UInt8]

        public init(instance: String, age: Duration, data: [UInt8]) {
            self.instance = instance
            self.age = age
            self.data = data
        }
    }

    enum Mapping: Hashable { case absent, unknown, at(String) }

    struct Image {
        var mapping = Mapping.absent
        var data: [UInt8]?
        /// The daemon that may be serving it.
        var holder: String?
        /// The holder has confirmed that it serves it.
        var isAcquired = false
        /// The daemon that shall serve it; nil for an image that shall go.
        var target: String?
        var outstanding: Action?
        /// Not to be moved for balance before.
        var movableAt: Duration
    }

    public let settings: Settings
    public let own: String
    public private(set) var live: Set<String>
    public private(set) var awaited: Set<String>
    var images: [String: Image] = [:]
    /// Images by target.
    var load: [String: Int] = [:]
    var rebalanceAt: Duration?
    private var local: Set<String>?
    private var remote: Set<String>?
    private var retries: [String: Duration] = [:]
    private var lastTicket: UInt64 = 0

    /// - Parameters:
    ///   - awaited: Registered daemons not heard of yet: nothing is sent to them, nothing taken from them.
    ///   - map: What is on disk. Daemons in it that are neither live nor awaited must have been fenced.
    public init(
        own: String, live: Set<String>, awaited: Set<String>, map: [String: Mapped], settings: Settings, at now: Duration
    ) {
        self.own = own
        self.live = live.union([own])
        self.awaited = awaited.subtracting(live)
        self.settings = settings
        for (globalID, line) in map {
            let rest = max(.zero, settings.migrationThrottle - max(.zero, line.age))
            images[globalID] = Image(
                mapping: .at(line.instance), data: line.data, holder: isThere(line.instance) ? line.instance : nil,
                movableAt: now + rest)
            if isThere(line.instance) { retarget(globalID, to: line.instance) }
        }
    }

    /// The images that a daemon serves or is about to.
    public func count(of instance: String) -> Int { load[instance, default: 0] }

    /// The live daemon that may be serving an image.
    public func holder(of globalID: String) -> String? {
        images[globalID]?.holder.flatMap { live.contains($0) ? $0 : nil }
    }

    /// When to call ``tick(at:)`` at the latest.
    public var deadline: Duration? { [retries.values.min(), rebalanceAt].compactMap(\.self).min() }

    func isThere(_ instance: String) -> Bool { live.contains(instance) || awaited.contains(instance) }
}

extension ImageMapPolicy {
    /// The first actions after ``init(own:live:awaited:map:settings:at:)``.
    public mutating func start(at now: Duration) -> [Action] { plan(images.keys.sorted(), at: now) }

    /// Daemons have come up.
    public mutating func added(_ instances: Set<String>, at now: Duration) -> [Action] {
        live.formUnion(instances)
        awaited.subtract(instances)
        rebalance(at: now)
        return plan(images.keys.sorted(), at: now)
    }

    /// Daemons are registered but have not been heard of.
    public mutating func awaiting(_ instances: Set<String>) { awaited.formUnion(instances.subtracting(live)) }

    /// Daemons are gone for good: fenced, or cleanly shut down.
    public mutating func removed(_ instances: Set<String>, at now: Duration) -> [Action] {
        let gone = instances.subtracting([own])
        live.subtract(gone)
        awaited.subtract(gone)
        let affected = images.filter { _, image in
            image.target.map(gone.contains) == true || image.holder.map(gone.contains) == true
        }.keys.sorted()
        for globalID in affected {
            if images[globalID]!.holder.map(gone.contains) == true {
                images[globalID]!.holder = nil
                images[globalID]!.isAcquired = false
            }
            if images[globalID]!.target.map(gone.contains) == true { retarget(globalID, to: nil) }
        }
        return plan(affected, at: now)
    }

    /// The mirrored images of both sides; nil for a side that is not known.
    ///
    /// An image is dropped only when both sides are known and neither has it.
    public mutating func imagesChanged(local: Set<String>?, remote: Set<String>?, at now: Duration) -> [Action] {
        (self.local, self.remote) = (local, remote)
        let present = (local ?? []).union(remote ?? [])
        for globalID in present where images[globalID] == nil { images[globalID] = Image(movableAt: now) }
        if settings.rebalanceTimeout > .zero { rebalanceAt = now + settings.rebalanceTimeout }
        return plan(images.keys.sorted(), at: now)
    }

    /// An action has ended; a failed one may or may not have had its effect.
    public mutating func completed(_ action: Action, success: Bool, at now: Duration) -> [Action] {
        let globalID = action.globalID
        guard images[globalID]?.outstanding == action else { return [] }
        images[globalID]!.outstanding = nil
        note(action, success, at: now)
        if success || !reaches(action) { return plan([globalID], at: now) }
        retries[globalID] = now + settings.retryInterval
        return []
    }

    /// Time has passed: retries and balance are due.
    public mutating func tick(at now: Duration) -> [Action] {
        let due = retries.filter { $0.value <= now }.keys
        for globalID in due { retries[globalID] = nil }
        guard let rebalanceAt, rebalanceAt <= now else { return plan(due.sorted(), at: now) }
        rebalance(at: now)
        return plan(images.keys.sorted(), at: now)
    }

    private mutating func note(_ action: Action, _ success: Bool, at now: Duration) {
        let globalID = action.globalID
        switch action.kind {
        case .updateMap(let instance, _):
            images[globalID]!.mapping = success ? .at(instance) : .unknown
            images[globalID]!.movableAt = now + settings.migrationThrottle
        case .removeMap: images[globalID]!.mapping = success ? .absent : .unknown
        case .acquire(let instance):
            if success, images[globalID]!.holder == instance { images[globalID]!.isAcquired = true }
        case .release(let instance):
            if success, images[globalID]!.holder == instance { images[globalID]!.holder = nil }
        }
    }

    /// Whether an action's daemon is still there to be asked again.
    private func reaches(_ action: Action) -> Bool {
        switch action.kind {
        case .updateMap, .removeMap: true
        case .acquire(let instance), .release(let instance): live.contains(instance)
        }
    }

    private func isWanted(_ globalID: String) -> Bool {
        if local?.contains(globalID) == true || remote?.contains(globalID) == true { return true }
        return local == nil || remote == nil
    }

    /// Chooses targets and gives the next action of each image that needs one.
    private mutating func plan(_ globalIDs: [String], at now: Duration) -> [Action] {
        for globalID in globalIDs where images[globalID] != nil {
            retarget(globalID, to: isWanted(globalID) ? home(of: globalID) : nil)
        }
        return globalIDs.compactMap { next($0, at: now) }
    }

    private mutating func next(_ globalID: String, at now: Duration) -> Action? {
        guard let image = images[globalID], image.outstanding == nil else { return nil }
        if let retry = retries[globalID], retry > now { return nil }
        let kind: Action.Kind
        if let holder = image.holder, holder != image.target {
            kind = .release(instance: holder)
        } else if let target = image.target {
            if image.mapping != .at(target) {
                kind = .updateMap(instance: target, data: image.data)
            } else if !image.isAcquired {
                kind = .acquire(instance: target)
            } else {
                return nil
            }
        } else if image.mapping != .absent {
            kind = .removeMap
        } else {
            images[globalID] = nil
            retries[globalID] = nil
            return nil
        }
        return begin(kind, globalID)
    }

    private mutating func begin(_ kind: Action.Kind, _ globalID: String) -> Action? {
        switch kind {
        case .acquire(let instance), .release(let instance):
            // A daemon that was not heard of yet is left alone: it comes up, or it is declared dead.
            guard live.contains(instance) else { return nil }
            // From here on the daemon may serve the image or not, whatever answer comes.
            images[globalID]!.holder = instance
            images[globalID]!.isAcquired = false
        case .updateMap, .removeMap: break
        }
        lastTicket += 1
        let action = Action(ticket: lastTicket, globalID: globalID, kind: kind)
        images[globalID]!.outstanding = action
        return action
    }
}
