import CephSandbox
import Foundation
import RBDImage

extension Story {
    /// Runs the command that makes a mirror snapshot at the source, and watches until the replica and its status have it.
    func follow(
        from source: Site, to replica: Site, _ title: String, _ command: @escaping @Sendable (Site) async throws -> Void
    ) async throws -> Ledger.Entry {
        let transfer = try await transfer(from: source, to: replica, title, command)
        let figures = try await figures(of: transfer.point, at: replica, title)
        let entry = Ledger.Entry(
            step: title, bytes: figures.last_snapshot_bytes ?? 0, seconds: transfer.taken.duration(to: transfer.arrived) / .seconds(1),
            lag: transfer.begun.duration(to: transfer.arrived) / .seconds(1))
        narrator.done(title, entry.seconds, "\(Ledger.amount(entry.bytes)) from \(source.name) to \(replica.name)")
        return entry
    }

    /// A mirror snapshot's way.
    struct Transfer {
        let point: ImageSnapshot
        let begun: ContinuousClock.Instant
        /// The snapshot is complete at the source.
        let taken: ContinuousClock.Instant
        let arrived: ContinuousClock.Instant
    }

    /// Runs the command that makes a mirror snapshot at the source, and watches until the replica has it.
    func transfer(
        from source: Site, to replica: Site, _ title: String, _ command: @escaping @Sendable (Site) async throws -> Void
    ) async throws -> Transfer {
        let old = try await source.newestPoint()?.id ?? 0
        let begun = ContinuousClock.now
        async let ended: Void = command(source)
        var point: ImageSnapshot?
        try await waitUntil("\(source.name) has a new mirror snapshot", every: .milliseconds(10)) {
            point = try await source.newestPoint()
            return point.map { $0.id > old } ?? false
        }
        let taken = ContinuousClock.now
        let wanted = point!.id
        try await waitUntil("\(replica.name) has the snapshot", within: .seconds(120), every: .milliseconds(10)) {
            if try await replica.holds(wanted) { return true }
            try await showProgress(of: replica, title)
            return false
        }
        let arrived = ContinuousClock.now
        try await ended
        return Transfer(point: point!, begun: begun, taken: taken, arrived: arrived)
    }

    private func showProgress(of replica: Site, _ title: String) async throws {
        guard let figures = try await replica.figures(), figures.replay_state == "syncing" else { return }
        let rate = Ledger.amount(Int(figures.bytes_per_second ?? 0))
        narrator.terminal.progress(title, percent: figures.syncing_percent ?? 0, "\(rate)/s")
    }

    /// What the stock `rbd mirror image status` says once it knows of a point.
    private func figures(of point: ImageSnapshot, at replica: Site, _ title: String) async throws -> ReplayFigures {
        var last: ReplayFigures?
        try await waitUntil("\(title): `rbd mirror image status` at \(replica.name) tells of it", every: .milliseconds(200)) {
            let status = try await replica.stockStatus()
            last = status.figures
            return status.state == "up+replaying" && last?.local_snapshot_timestamp == point.timestamp.seconds
        }
        return last!
    }
}
