public import RBDImage

/// Which side of a pair an image is.
public enum PromotionState: Hashable, Sendable {
    /// Written here.
    case primary
    /// Filled from the site with that mirror uuid; empty on an orphan of a forced promotion.
    case nonPrimary(primaryMirrorUUID: String)
    /// Demoted: writable nowhere, may be promoted on either side.
    case orphan
    /// No mirror snapshot, or one of a kind this version does not know.
    case unknown

    /// Finds it for an image in snapshot mode: its newest mirror snapshot decides.
    ///
    /// The snapshots may come in any order. Whether the newest one is complete plays no part.
    public init(ofSnapshots snapshots: [ImageSnapshot]) {
        let newest = snapshots.filter { $0.mirror != nil }.max { $0.id < $1.id }
        self = newest?.mirror.map(Self.init(of:)) ?? .unknown
    }

    private init(of mirror: MirrorSnapshot) {
        self = switch mirror.state {
        case .primary: .primary
        case .nonPrimary: .nonPrimary(primaryMirrorUUID: mirror.primaryMirrorUUID)
        case .primaryDemoted, .nonPrimaryDemoted: .orphan
        default: .unknown
        }
    }
}
