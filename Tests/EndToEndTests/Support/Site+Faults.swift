import CephSandbox

extension Site {
    /// Has the site's OSD look at each message only after a pause, so that a short copy takes its time.
    func slowDown(by pause: Duration = .milliseconds(20)) async throws {
        let seconds = Double(pause.components.attoseconds) * 1e-18 + Double(pause.components.seconds)
        try await setOSD("osd_debug_inject_dispatch_delay_duration", "\(seconds)")
        try await setOSD("osd_debug_inject_dispatch_delay_probability", seconds > 0 ? "1" : "0")
    }

    /// Runs the body while the site is silent; it is thawed whatever comes.
    nonisolated(nonsending)
    func whileFrozen(_ body: () async throws -> Void) async throws {
        try await cluster.freeze()
        do {
            try await body()
        } catch {
            try await cluster.thaw()
            throw error
        }
        try await cluster.thaw()
    }

    /// Sets how often the site's monitor makes a new map at most.
    func proposeMaps(every pause: Duration) async throws {
        let seconds = Double(pause.components.attoseconds) * 1e-18 + Double(pause.components.seconds)
        try await cluster.ceph("tell", "mon.*", "config", "set", "paxos_propose_interval", "\(seconds)")
    }

    func goAtFullSpeed() async throws { try await slowDown(by: .zero) }

    func setOSD(_ option: String, _ value: String) async throws {
        for osd in cluster.osds {
            try await osd.adminSocket?.ask("config set", ["var": .init(option), "val": [value]], timeout: .seconds(30))
        }
    }
}
