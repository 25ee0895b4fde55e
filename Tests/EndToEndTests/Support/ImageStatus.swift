import CephCore
import CephSandbox

/// What `rbd mirror image status` says, in its words.
struct ImageStatus: Sendable {
    var globalID: String
    /// As in `up+replaying`.
    var state: String
    var description: String
    /// What the daemons of other sites say.
    var peers: [Peer]

    struct Peer: Sendable {
        var state: String
        var description: String
    }

    fileprivate init(_ status: Image.MirrorStatus) {
        globalID = status.info.globalID
        state = status.local.map(Self.words) ?? "down+unknown"
        description = status.local?.description ?? "status not found"
        peers = status.remotes.map { Peer(state: Self.words($0), description: $0.description) }
    }

    private static func words(_ site: Image.MirrorStatus.Site) -> String {
        let state: String = switch site.state {
        case .unknown: "unknown"
        case .error: "error"
        case .syncing: "syncing"
        case .startingReplay: "starting_replay"
        case .replaying: "replaying"
        case .stoppingReplay: "stopping_replay"
        case .stopped: "stopped"
        default: "\(site.state.rawValue)"
        }
        return "\(site.isUp ? "up" : "down")+\(state)"
    }
}

extension Site {
    func status(_ image: String) async throws -> ImageStatus {
        ImageStatus(try await withImage(image) { try await $0.mirrorStatus() })
    }

    /// Waits until the site's own status of an image is as wanted; a failure tells the last one seen.
    func waitForStatus(
        _ image: String, _ what: String, within limit: Duration = .seconds(40), _ isWanted: (ImageStatus) -> Bool
    ) async throws {
        var last: ImageStatus?
        do {
            try await waitUntil("\(spec(image)) on \(name) is \(what)", within: limit) {
                guard let status = try? await status(image) else { return false }
                last = status
                return isWanted(status)
            }
        } catch {
            throw ToolFailure(tool: "the image's status", text: "\(error); last: \(last.map { "\($0)" } ?? "none")")
        }
    }

    func waitForStatus(_ image: String, state: String, within limit: Duration = .seconds(40)) async throws {
        try await waitForStatus(image, state, within: limit) { $0.state == state }
    }
}
