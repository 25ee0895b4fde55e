import CephSandbox

/// What `rbd mirror image status --format json` says.
struct ImageStatus: Decodable, Sendable {
    var global_id: String
    var state: String
    var description: String
    var peer_sites: [Peer]?

    struct Peer: Decodable, Sendable {
        var site_name: String
        var state: String
        var description: String
    }
}

extension Site {
    func status(_ image: String) async throws -> ImageStatus {
        try await cluster.rbdJSON("mirror", "image", "status", spec(image))
    }

    /// Waits until the site's own status of an image is as wanted; a failure tells the last one seen.
    func waitForStatus(
        _ image: String, _ what: String, within limit: Duration = .seconds(40), _ isWanted: (ImageStatus) -> Bool
    ) async throws {
        var last: ImageStatus?
        do {
            try await waitUntil("\(spec(image)) on \(name) is \(what)", within: limit, every: .milliseconds(100)) {
                guard let status = try? await status(image) else { return false }
                last = status
                return isWanted(status)
            }
        } catch {
            throw ToolFailure(tool: "rbd mirror image status", text: "\(error); last: \(last.map { "\($0)" } ?? "none")")
        }
    }

    func waitForStatus(_ image: String, state: String, within limit: Duration = .seconds(40)) async throws {
        try await waitForStatus(image, state, within: limit) { $0.state == state }
    }
}
