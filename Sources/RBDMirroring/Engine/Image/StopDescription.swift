internal import RBDImage

/// How a stop is shown: the state and the words stock tools know.
struct StopDescription: Hashable {
    let state: MirrorSiteStatus.State
    let text: String

    init(_ state: MirrorSiteStatus.State, _ text: String) {
        self.state = state
        self.text = text
    }

    init(_ reason: SnapshotPlan.StopReason) {
        self = switch reason {
        case .resyncRequested: .init(.stopped, "resync requested")
        case .forcePromoting: .init(.stopped, "orphan (force promoting)")
        case .forcePromoted: .init(.stopped, "force promoted")
        case .unknownPeer: .init(.error, "local image linked to unknown peer")
        case .splitBrain: .init(.error, "split-brain")
        case .remoteDemoted: .init(.unknown, "remote image demoted")
        case .remoteNotPrimary: .init(.unknown, "remote image is not primary")
        case .remoteRemoved: .init(.stopped, "remote image no longer exists")
        case .peerUnknown: .init(.error, "failed to retrieve mirror peer uuid from remote pool")
        case .malformed(let what): .init(.error, "malformed mirror snapshots: \(what)")
        }
    }
}
