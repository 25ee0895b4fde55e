import CephSandbox

/// What both sites show of one make of daemon, stage by stage.
struct Observation: Sendable {
    private var views: [String: [StatusView]] = [:]

    /// Looks at both sites until they show the stage, and the same as with the stock daemon if that was observed before.
    ///
    /// - Parameters:
    ///   - images: The images whose own status is looked at.
    ///   - isThere: Whether a site shows the stage; asked at a glance first.
    mutating func see(
        _ stage: String, _ scene: Scene, images: [String], comparedWith stock: Observation?,
        isThere: (StatusView, Site) -> Bool
    ) async throws {
        var missing = ""
        do {
            try await waitUntil("the stock commands show: \(stage)", within: .seconds(40), every: .milliseconds(300)) {
                let glances = try await scene.onBothSites { try await StatusView.glance(at: $0) }
                missing = Self.strays(glances, scene, isThere)
                guard missing.isEmpty else { return false }
                let seen = try await scene.onBothSites { site in
                    var view = try await StatusView.glance(at: site)
                    try await view.lookAtImages(images, on: site)
                    try await view.lookAtServices(on: site)
                    return view
                }
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
