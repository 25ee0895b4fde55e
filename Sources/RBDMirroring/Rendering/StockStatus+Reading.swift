internal import RBDImage
public import Replication

extension StockStatus {
    /// Understands a status that any daemon wrote, stock or ours.
    ///
    /// What is not in it stays empty: a description is for people and says little. An unknown sentence is kept as
    /// ``ReplicationStatus/text`` under the state's own reason.
    public func read(at time: WallTime = .now()) -> ReplicationStatus {
        if let phrase = StockPhrase.all.first(where: { $0.isSaid(in: description) && $0.state == state }) {
            return ReplicationStatus(
                role: phrase.role, state: phrase.model, reason: phrase.reason, text: description, since: time)
        }
        var status = ReplicationStatus(
            role: Self.role(of: state), state: Self.model(of: state), reason: Self.reason(for: state), text: description,
            since: time)
        switch figures {
        case .snapshot(let figures): figures.fill(&status, time)
        case .journal(let figures): figures.fill(&status)
        case nil: break
        }
        return status
    }

    /// The numbers in the description, when there are any.
    public var figures: Figures? {
        guard let brace = description.firstIndex(of: "{"), state == .replaying else { return nil }
        let json = String(description[brace...])
        return SnapshotReplayFigures(json: json).map { .snapshot($0) } ?? JournalReplayFigures(json: json).map { .journal($0) }
    }

    private static func model(of state: MirrorSiteStatus.State) -> ReplicationStatus.State {
        switch state {
        case .startingReplay: .starting
        case .syncing: .firstSync
        case .replaying: .replaying
        case .stoppingReplay: .stopping
        case .stopped: .stopped
        case .error: .error
        default: .unknown
        }
    }

    private static func role(of state: MirrorSiteStatus.State) -> ReplicationStatus.Role {
        [.syncing, .replaying, .error].contains(state) ? .replica : .undetermined
    }

    private static func reason(for state: MirrorSiteStatus.State) -> ReasonCode {
        switch state {
        case .startingReplay: .starting
        case .syncing: .syncing
        case .replaying: .upToDate
        case .stoppingReplay: .stopping
        case .stopped: .stoppedByOperator
        default: .failed
        }
    }
}

extension SnapshotReplayFigures {
    func fill(_ status: inout ReplicationStatus, _ now: WallTime) {
        status.lastPoint = localTimestamp.map { WallTime(secondsSince1970: Double($0)) }
        status.sourcePoint = remoteTimestamp.map { WallTime(secondsSince1970: Double($0)) }
        status.reason = syncing == nil ? .upToDate : .syncing
        if let syncing {
            // Stock gives a part of the whole and no numbers: hundredths stand for objects.
            status.progress = SyncProgress(
                objectsDone: syncing.percent, objectsTotal: 100, bytesPerSecond: bytesPerSecond,
                secondsLeft: secondsUntilSynced.map { Double($0) })
        }
        if lastSnapshotBytes > 0 || lastSnapshotSyncSeconds > 0 {
            status.lastSync = LastSync(bytes: lastSnapshotBytes, seconds: Double(lastSnapshotSyncSeconds), finished: now)
        }
    }
}

extension JournalReplayFigures {
    func fill(_ status: inout ReplicationStatus) {
        status.reason = entriesBehindPrimary == 0 ? .upToDate : .syncing
        status.pendingPoints = Int(clamping: entriesBehindPrimary)
    }
}
