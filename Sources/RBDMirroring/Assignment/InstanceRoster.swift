/// Which daemons of a pool are alive, as its leader sees it.
///
/// A daemon lives as long as it acknowledges heartbeats. A registered one that has not done so for the grace
/// time is dead: it must be fenced before its images are given away. A pure value; times are since any fixed start.
public struct InstanceRoster: Sendable {
    /// How long a daemon may be silent.
    public let grace: Duration
    /// The leader's own instance, which is always alive.
    public let own: String
    /// Daemons that have acknowledged a heartbeat, ours included.
    public private(set) var live: Set<String>
    /// Registered daemons that have not been heard of yet: they may be alive and at work.
    public private(set) var awaited: Set<String> = []
    /// The usual time between two heartbeats.
    private let interval: Duration
    private var lastHeard: [String: Duration] = [:]
    private var lastRound: Duration

    /// - Parameter registered: The daemons that were registered when this one became leader.
    public init(own: String, registered: Set<String>, timing: ElectionTiming, at now: Duration) {
        self.own = own
        grace = timing.daemonSilence
        interval = timing.heartbeatInterval
        lastRound = now
        live = [own]
        awaited = registered.subtracting([own])
        for id in awaited { lastHeard[id] = now }
    }

    /// Notes who acknowledged a heartbeat; returns those that were not alive before.
    ///
    /// Where a heartbeat failed or came late nobody can have answered, so that time is not held against anybody.
    ///
    /// - Parameter registered: Of the acknowledging clients those with a registered mailbox. Others only
    ///   watch, and giving them an image would leave it unserved.
    public mutating func heard(_ acknowledged: Set<String>, registered: Set<String>, at now: Duration) -> Set<String> {
        let unasked = now - lastRound - interval
        if unasked > interval { for id in lastHeard.keys { lastHeard[id]! += unasked } }
        lastRound = now
        let known = acknowledged.filter { live.contains($0) || awaited.contains($0) || registered.contains($0) }
        let added = known.subtracting(live)
        for id in known { lastHeard[id] = now }
        live.formUnion(known)
        awaited.subtract(known)
        return added
    }

    /// Notes a registered daemon that did not acknowledge: it has the grace time from now.
    public mutating func found(_ registered: Set<String>, at now: Duration) {
        for id in registered where !live.contains(id) && !awaited.contains(id) {
            awaited.insert(id)
            lastHeard[id] = now
        }
    }

    /// The daemons that are silent for too long.
    public func dead(at now: Duration) -> Set<String> {
        live.union(awaited).filter { $0 != own && now - (lastHeard[$0] ?? now) >= grace }
    }

    /// Forgets a daemon that is fenced or has left.
    public mutating func removed(_ id: String) {
        guard id != own else { return }
        live.remove(id)
        awaited.remove(id)
        lastHeard[id] = nil
    }
}
