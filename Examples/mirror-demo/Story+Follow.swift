import CephSandbox
import Foundation
import RBDImage

extension Story {
    /// Runs the command that makes a mirror snapshot at the source, and watches until the replica has it.
    func follow(
        from source: Site, to replica: Site, _ title: String, _ command: (Site) async throws -> Void
    ) async throws -> Ledger.Entry {
        let old = try await source.newestPoint()?.id ?? 0
        let begun = ContinuousClock.now
        try await command(source)
        let taken = ContinuousClock.now
        guard let point = try await source.newestPoint(), point.id > old || old == 0 else {
            throw DemoError("\(title): \(source.name) has no new mirror snapshot")
        }
        try await waitUntil("\(title): \(replica.name) has the snapshot", within: .seconds(120), every: .milliseconds(20)) {
            if try await replica.holds(point.id) { return true }
            if let figures = try await replica.figures(), figures.replay_state == "syncing" {
                let rate = Ledger.amount(Int(figures.bytes_per_second ?? 0))
                narrator.terminal.progress(title, percent: figures.syncing_percent ?? 0, "\(rate)/s")
            }
            return false
        }
        let arrived = ContinuousClock.now
        let figures = try await figures(of: point, at: replica, title)
        let entry = Ledger.Entry(
            step: title, bytes: figures.last_snapshot_bytes ?? 0, seconds: taken.duration(to: arrived) / .seconds(1),
            lag: begun.duration(to: arrived) / .seconds(1))
        narrator.done(title, entry.seconds, "\(Ledger.amount(entry.bytes)) from \(source.name) to \(replica.name)")
        return entry
    }

    /// What the stock `rbd mirror image status` says once it knows of a point.
    private func figures(of point: ImageSnapshot, at replica: Site, _ title: String) async throws -> ReplayFigures {
        var last: ReplayFigures?
        try await waitUntil("\(title): `rbd mirror image status` at \(replica.name) tells of it", every: .milliseconds(200)) {
            last = try await replica.stockStatus().figures
            return last?.local_snapshot_timestamp == point.timestamp.seconds
        }
        return last!
    }
}
