/// Which syncs of a pool may run: so many at once, first come first served.
///
/// A pure value, kept by the leader. A slot is taken when ``request(_:)`` or another call hands the sync out,
/// and is free again when the sync has ended or its daemon is gone.
public struct SyncSlots: Sendable {
    /// One sync of one daemon.
    public struct Sync: Hashable, Sendable {
        public let instance: String
        /// The pool's namespace, empty for the default one.
        public let namespace: String
        /// The local image id.
        public let id: String

        public init(instance: String, namespace: String, id: String) {
            self.instance = instance
            self.namespace = namespace
            self.id = id
        }
    }

    /// What became of a request.
    public enum Answer: Hashable, Sendable {
        /// It has got a slot now.
        case granted
        /// It has a slot already.
        case running
        /// It waits, and will be among those that a later call hands out.
        case queued
    }

    /// Syncs at once; at least 1.
    public let limit: Int
    public private(set) var running: Set<Sync> = []
    public private(set) var queue: [Sync] = []

    public init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    /// Asks for a slot; repeating it is harmless.
    public mutating func request(_ sync: Sync) -> Answer {
        if running.contains(sync) { return .running }
        if queue.contains(sync) { return .queued }
        guard running.count < limit else {
            queue.append(sync)
            return .queued
        }
        running.insert(sync)
        return .granted
    }

    /// Frees a sync's slot, or takes it from the queue; returns those that may start now.
    public mutating func ended(_ sync: Sync) -> [Sync] {
        running.remove(sync)
        queue.removeAll { $0 == sync }
        return admit()
    }

    /// Drops all syncs of a daemon that is gone; returns those that may start now.
    public mutating func removed(instance: String) -> [Sync] {
        running = running.filter { $0.instance != instance }
        queue.removeAll { $0.instance == instance }
        return admit()
    }

    private mutating func admit() -> [Sync] {
        let count = min(limit - running.count, queue.count)
        guard count > 0 else { return [] }
        let admitted = Array(queue.prefix(count))
        queue.removeFirst(count)
        running.formUnion(admitted)
        return admitted
    }
}
