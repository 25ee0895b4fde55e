internal import Foundation
internal import Synchronization

/// Asks the monitor whether the manager that was started last is active.
final class ManagerProbe: Sendable {
    private struct Status: Decodable {
        var available: Bool
        var active_gid: UInt64
    }

    private let monitor: MonitorAdmin
    /// The manager seen ready before a restart: the monitor goes on naming it until the new one has reported.
    private let known = Mutex<UInt64>(0)

    init(_ monitor: MonitorAdmin) { self.monitor = monitor }

    func isReady() async -> Bool {
        guard let text = try? await monitor.command("mgr dump", ["format": "json"]),
            let status = try? JSONDecoder().decode(Status.self, from: Data(text.utf8)) else { return false }
        return known.withLock { known in
            guard status.available, status.active_gid != known else { return false }
            known = status.active_gid
            return true
        }
    }
}
