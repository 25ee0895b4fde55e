import DaemonSupport
import RBDMirroring
import Replication

/// The engine as the admin socket's commands `rbd mirror …` see it.
struct EngineControl: MirrorControl {
    let mirror: RBDMirror

    func status() async -> [PoolReplayerStatus] { await mirror.pools().map(render) }

    func perform(_ action: MirrorAction, on target: MirrorTarget) async throws {
        let commands: [MirrorAction: MirrorCommand] = [
            .start: .start, .stop: .stop, .restart: .restart, .flush: .flush, .releaseLeader: .releaseLeader,
        ]
        guard let command = commands[action] else { return }
        try await mirror.perform(command, on: await scope(of: target))
    }

    private func scope(of target: MirrorTarget) async -> MirrorScope {
        if target == .everything { return .everything }
        let pools = await mirror.pools()
        if let pool = pools.first(where: { .pool($0.pool, peer: $0.peerSite) == target }) {
            return .pool(pool.pool, site: pool.peerSite)
        }
        return .image(target.words)
    }

    private func render(_ report: PoolReport) -> PoolReplayerStatus {
        let syncing = report.namespaces.values.joined().filter { $0.status.reason == .syncing }.count
        let waiting = report.namespaces.values.joined().filter { $0.status.reason == .throttled }.count
        var status = PoolReplayerStatus(
            pool: report.pool, peerUUID: report.peerUUID, peerSite: report.peerSite, peerClient: report.peerClient,
            instanceID: report.instanceID ?? "",
            syncs: ThrottleStatus(limit: report.concurrentSyncs, running: syncing, waiting: waiting), deletions: ThrottleStatus(limit: 1))
        status.state = report.instanceID == nil ? .stopped : .running
        status.leaderInstanceID = report.leaderID ?? ""
        status.isLeader = report.isLeader
        status.instances = report.instances
        status.images = images(report.namespaces[""] ?? [])
        status.namespaces = report.namespaces.filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }
            .map { NamespaceStatus(name: $0.key, images: images($0.value)) }
        return status
    }

    private func images(_ entries: [Report.Entry]) -> [ImageReplayerStatus] {
        entries.map { ImageReplayerStatus(spec: $0.subject.description, state: state(of: $0.status)) }
    }

    private func state(of status: ReplicationStatus) -> ImageReplayerStatus.State {
        switch status.state {
        case .starting: .starting
        case .replaying, .firstSync: .replaying
        case .stopping: .stopping
        default: .stopped
        }
    }
}
