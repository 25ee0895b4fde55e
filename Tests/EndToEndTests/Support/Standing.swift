import CephSandbox

/// How an image stands on both sites, in stock's words.
struct Standing: Sendable {
    let image: String
    private let words: [String: Words]

    enum Words: Sendable {
        case primary, replaying, notPrimary, splitBrain

        var state: String {
            switch self {
            case .primary: "up+stopped"
            case .replaying: "up+replaying"
            case .notPrimary: "up+unknown"
            case .splitBrain: "up+error"
            }
        }

        /// The value of the description as `FlatJSON` has it.
        fileprivate var description: String {
            switch self {
            case .primary: "\"local image is primary\""
            case .replaying: "\"replaying, \" and"
            case .notPrimary: "\"remote image is not primary\""
            case .splitBrain: "\"split-brain\""
            }
        }
    }

    init(_ image: String, a: Words, b: Words) {
        self.image = image
        words = ["site-a": a, "site-b": b]
    }

    fileprivate func lines(on site: Site, _ peer: Site) -> [String] {
        let (here, there) = (words[site.name]!, words[peer.name]!)
        return [
            "name = \"\(image)\"", "state = \"\(here.state)\"", "description = \(here.description)",
            "peer_sites[0].state = \"\(there.state)\"", "peer_sites[0].description = \(there.description)",
        ]
    }

    fileprivate func words(on site: Site) -> Words { words[site.name]! }
}

extension StatusView {
    /// Whether the view has each of the pool's images, in the order of their names, as it should be, and the daemon's figures
    /// agree with that.
    func shows(_ standing: [Standing], on site: Site, _ peer: Site) -> Bool {
        let pool = answers["rbd mirror pool status --verbose \(site.pool) --format json"] ?? []
        let images = standing.enumerated().flatMap { index, one in one.lines(on: site, peer).map { "images[\(index)].\($0)" } }
        let errors = standing.filter { $0.words(on: site) == .splitBrain }.count
        let warnings = standing.filter { $0.words(on: site) == .notPrimary }.count
        let counts = [
            "assigned": standing.count, "local": standing.count, "remote": standing.count, "error": errors, "warning": warnings,
        ]
        let services = answers["ceph service status"] ?? []
        return (images + ["daemons[0].leader = true"]).allSatisfy(pool.contains)
            && counts.allSatisfy { kind, count in services.contains { $0.hasSuffix(".image_\(kind)_count = \(count)") } }
    }

    /// Whether every answer about the pool's images says a word, and none one of others.
    func says(_ word: String, not others: String..., on site: Site) -> Bool {
        ["", " --format json"].allSatisfy { format in
            let lines = answers["rbd mirror pool status --verbose \(site.pool)\(format)"] ?? []
            return lines.contains { $0.contains(word) } && !lines.contains { line in others.contains { line.contains($0) } }
        }
    }

    /// Whether both the service's status and the service map say that no daemon is there; they go one after the other.
    func hasNoService(_ site: Site) -> Bool {
        answers["ceph service status"] == [" = {}"]
            && answers["rbd mirror pool status --verbose \(site.pool) --format json"]?.contains("daemons = []") == true
    }
}
