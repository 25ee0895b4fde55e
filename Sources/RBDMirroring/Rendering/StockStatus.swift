public import RBDImage
public import Replication

/// An image's status in stock's words: what `rbd mirror image status` prints.
public struct StockStatus: Hashable, Sendable {
    public var state: MirrorSiteStatus.State
    public var description: String

    public init(state: MirrorSiteStatus.State, description: String) {
        self.state = state
        self.description = description
    }

    /// The numbers of a replaying image.
    public enum Figures: Hashable, Sendable {
        case snapshot(SnapshotReplayFigures)
        case journal(JournalReplayFigures)

        var json: String {
            switch self {
            case .snapshot(let figures): figures.json
            case .journal(let figures): figures.json
            }
        }
    }

    /// Renders a status.
    ///
    /// Where stock has a sentence for the reason it is used to the letter, followed by how it was seen where somebody has to
    /// decide; else the status speaks for itself.
    /// - Parameters:
    ///   - figures: Of a replaying image; nil before the first look at both sides.
    ///   - mode: In journal mode, and where the modes of the two sides differ, stock words a split-brain differently.
    ///   - wasReplayed: Whether the image was replayed until this came about. Of a demotion that it finds, unlike one that it
    ///     sees happen, stock only says that the source is not primary.
    public init(
        _ status: ReplicationStatus, figures: Figures? = nil, mode: MirrorImage.Mode = .snapshot, wasReplayed: Bool = true
    ) {
        if mode == .journal, status.reason == .splitBrain, status.state == .error {
            self.init(state: .error, description: "split-brain detected")
        } else if !wasReplayed, status.reason == .remoteDemoted, let found = StockPhrase.of(.remoteNotPrimary, in: status.state) {
            self.init(state: found.state, description: found.text)
        } else if let phrase = StockPhrase.of(status.reason, in: status.state) {
            self.init(state: phrase.state, description: phrase.description(of: status))
        } else {
            self.init(inOwnWords: status, figures)
        }
    }

    private init(inOwnWords status: ReplicationStatus, _ figures: Figures?) {
        let state = Self.state(for: status.state)
        switch status.state {
        case .replaying:
            self.init(state: state, description: figures.map { "replaying, \($0.json)" } ?? "replaying")
        case .firstSync:
            self.init(state: state, description: status.text.isEmpty ? "bootstrapping" : "bootstrapping, \(status.text)")
        default:
            self.init(state: state, description: status.text.isEmpty ? "\(status.reason)" : status.text)
        }
    }

    private static func state(for state: ReplicationStatus.State) -> MirrorSiteStatus.State {
        switch state {
        case .starting: .startingReplay
        case .firstSync: .syncing
        case .replaying: .replaying
        case .stopping: .stoppingReplay
        case .stopped: .stopped
        case .error: .error
        default: .unknown
        }
    }
}

/// Stock's fixed sentences.
struct StockPhrase {
    var reason: ReasonCode
    var model: ReplicationStatus.State
    var role: ReplicationStatus.Role
    var state: MirrorSiteStatus.State
    var text: String
    /// Whether the status' own text follows: a person has to decide by it.
    var isExplained: Bool

    private init(
        _ text: String, _ state: MirrorSiteStatus.State, _ reason: ReasonCode, _ model: ReplicationStatus.State,
        _ role: ReplicationStatus.Role = .replica, isExplained: Bool = false
    ) {
        self.text = text
        self.state = state
        self.reason = reason
        self.model = model
        self.role = role
        self.isExplained = isExplained
    }

    func description(of status: ReplicationStatus) -> String {
        guard isExplained, !status.text.isEmpty else { return text }
        return status.text.hasPrefix(text) ? status.text : "\(text): \(status.text)"
    }

    func isSaid(in description: String) -> Bool {
        description == text || isExplained && description.hasPrefix("\(text): ")
    }

    /// The first that fits is said; all are understood.
    static let all: [StockPhrase] = [
        .init("starting replay", .startingReplay, .starting, .starting, .undetermined),
        .init("stopping replay", .stoppingReplay, .stopping, .stopping, .undetermined),
        .init("local image is primary", .stopped, .localPrimary, .stopped, .primary),
        .init("stopped", .stopped, .stoppedByOperator, .stopped, .undetermined),
        .init("force promoted", .stopped, .forcePromoted, .stopped, .primary),
        .init("orphan (force promoting)", .stopped, .forcePromoting, .stopped),
        .init("resync requested", .stopped, .resyncRequested, .stopped),
        .init("remote image no longer exists", .stopped, .remoteRemoved, .stopped),
        .init("remote image is not primary", .unknown, .remoteNotPrimary, .unknown),
        .init("remote image demoted", .unknown, .remoteDemoted, .unknown),
        .init("split-brain", .error, .splitBrain, .error, isExplained: true),
        .init("split-brain detected", .error, .splitBrain, .error),
        .init("local image linked to unknown peer", .error, .peerUnknown, .error, isExplained: true),
        .init("disconnected", .error, .disconnected, .error),
        .init("error bootstrapping replay", .error, .bootstrapFailed, .error),
    ]

    /// The sentence for a reason; a running state keeps its own words whatever its reason.
    static func of(_ reason: ReasonCode, in state: ReplicationStatus.State) -> StockPhrase? {
        guard state != .replaying, state != .firstSync else { return nil }
        return all.first { $0.reason == reason && $0.model == state }
    }
}
