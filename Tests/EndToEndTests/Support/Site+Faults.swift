import CephSandbox

extension Site {
    /// Has the site's OSD look at each message only after a pause, so that a short copy takes its time.
    func slowDown(by pause: Duration) async throws {
        let seconds = Double(pause.components.attoseconds) * 1e-18 + Double(pause.components.seconds)
        try await setOSD("osd_debug_inject_dispatch_delay_duration", "\(seconds)")
        try await setOSD("osd_debug_inject_dispatch_delay_probability", seconds > 0 ? "1" : "0")
    }

    func goAtFullSpeed() async throws { try await slowDown(by: .zero) }

    private func setOSD(_ option: String, _ value: String) async throws {
        for osd in cluster.osds {
            try await osd.adminSocket?.ask("config set", ["var": .init(option), "val": [value]], timeout: .seconds(30))
        }
    }
}
