import CephSandbox

/// What the stock status commands print on one site, without what differs from run to run.
struct StatusView: Sendable {
    /// Commands to lines: of the text as printed, of JSON documents by path.
    private(set) var answers: [String: [String]] = [:]

    /// What shows best whether the site is where it should be.
    static func glance(at site: Site) async throws -> StatusView {
        let service = try await site.serviceStatus()
        var view = StatusView()
        let mask = StatusMask(service: service)
        view.answers["ceph service status"] = try document(service, mask)
        try await view.ask(site, ["mirror", "pool", "status", "--verbose", site.pool], mask)
        return view
    }

    /// What all commands print.
    static func everything(on site: Site, images: [String]) async throws -> StatusView {
        var view = try await glance(at: site)
        try await view.lookAtImages(images, on: site)
        try await view.lookAtServices(on: site)
        return view
    }

    /// Adds what the pool's and the images' own commands print.
    private mutating func lookAtImages(_ images: [String], on site: Site) async throws {
        let mask = StatusMask(service: try await site.serviceStatus())
        for image in images { try await ask(site, ["mirror", "image", "status", site.spec(image)], mask) }
        try await ask(site, ["mirror", "pool", "status", site.pool], mask)
        try await ask(site, ["mirror", "pool", "info", "--all", site.pool], mask)
    }

    /// Adds what the cluster's commands print of the service.
    private mutating func lookAtServices(on site: Site) async throws {
        let mask = StatusMask(service: try await site.serviceStatus())
        let dump = try Self.document(try await site.cluster.ceph("service", "dump"), mask)
        let status = try Self.document(try await site.cluster.ceph("status", "--format", "json"), mask)
        answers["ceph service dump"] = dump.filter { $0.hasPrefix("services.rbd-mirror.") }
        answers["ceph status --format json"] = status.filter { $0.hasPrefix("servicemap.services.rbd-mirror.") }
        answers["ceph status"] = try await site.cluster.ceph("-s").split(separator: "\n").map(String.init)
            .filter { $0.contains("rbd-mirror") }
    }

    private mutating func ask(_ site: Site, _ command: [String], _ mask: StatusMask) async throws {
        let name = "rbd \(command.joined(separator: " "))"
        answers[name] = mask.applied(to: try await site.cluster.rbd(command)).split(separator: "\n").map(String.init)
        answers["\(name) --format json"] = try Self.document(try await site.cluster.rbd(command + ["--format", "json"]), mask)
    }

    private static func document(_ text: String, _ mask: StatusMask) throws -> [String] {
        try FlatJSON(mask.applied(to: text)).lines.map { "\($0) = \($1)" }.sorted()
    }

    /// What each view has that the other has not.
    func differences(from stock: StatusView) -> [String] {
        Set(answers.keys).union(stock.answers.keys).sorted().flatMap { command -> [String] in
            let (here, there) = (answers[command] ?? [], stock.answers[command] ?? [])
            guard here != there else { return [] }
            let changes = there.difference(from: here).map { change in
                switch change {
                case .insert(_, let line, _): "  stock: \(line)"
                case .remove(_, let line, _): "  ours:  \(line)"
                }
            }
            return [command] + changes
        }
    }
}
