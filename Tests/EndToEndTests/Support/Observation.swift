import CephSandbox

/// What both sites show of one make of daemon, stage by stage.
struct Observation: Sendable {
    private var views: [String: [StatusView]] = [:]

    /// Looks at both sites until they show the stage, and the same as with the stock daemon if that was observed before.
    ///
    /// - Parameters:
    ///   - images: Whose own status is looked at, and the services' too, which takes a while; nil for a glance.
    ///   - isThere: Whether a site shows the stage; asked at a glance first.
    mutating func see(
        _ stage: String, _ scene: Scene, inFull images: [String]? = nil, comparedWith stock: Observation?,
        isThere: (StatusView, Site) -> Bool
    ) async throws {
        var missing = ""
        do {
            try await waitUntil("the stock commands show: \(stage)", within: .seconds(40), every: .milliseconds(300)) {
                var seen = try await scene.onBothSites { try await StatusView.glance(at: $0) }
                missing = Self.strays(seen, scene, isThere)
                guard missing.isEmpty else { return false }
                if let images { seen = try await scene.onBothSites { try await StatusView.everything(on: $0, images: images) } }
                views[stage] = seen
                missing = Self.strays(seen, scene, isThere) + Self.differences(seen, scene, stock?.views[stage])
                return missing.isEmpty
            }
        } catch let error as SandboxError where error.code == .deadlineExceeded {
            throw ToolFailure(tool: "status", text: "\(error.message)\n\(missing)")
        }
    }

    private static func strays(_ seen: [StatusView], _ scene: Scene, _ isThere: (StatusView, Site) -> Bool) -> String {
        zip(seen, scene.sites).filter { !isThere($0, $1) }.map { view, site in
            let answers = view.answers.sorted { $0.key < $1.key }.flatMap { [$0.key] + $0.value.map { "  \($0)" } }
            return "\(site.name) shows something else:\n\(answers.joined(separator: "\n"))\n"
        }.joined()
    }

    private static func differences(_ ours: [StatusView], _ scene: Scene, _ stock: [StatusView]?) -> String {
        guard let stock else { return "" }
        return zip(zip(ours, stock), scene.sites).map { views, site in
            let differences = views.0.differences(from: views.1)
            return differences.isEmpty ? "" : "on \(site.name):\n\(differences.joined(separator: "\n"))\n"
        }.joined()
    }
}

extension Scene {
    fileprivate func onBothSites<T: Sendable>(_ body: @escaping @Sendable (Site) async throws -> T) async throws -> [T] {
        async let first = body(siteA)
        async let second = body(siteB)
        return try await [first, second]
    }
}
