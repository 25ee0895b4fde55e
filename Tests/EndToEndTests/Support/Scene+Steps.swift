import CephSandbox

extension Scene {
    /// Makes an image on a site and mirrors it by snapshots.
    func createImage(_ image: String, on site: Site? = nil, mebibytes: Int, options: [String] = []) async throws {
        let site = site ?? siteA
        try await site.cluster.rbd(["create", site.spec(image), "--size", "\(mebibytes)M"] + options)
        try await site.rbd("mirror", "image", "enable", site.spec(image), "snapshot")
    }

    /// Takes a mirror snapshot of a primary and returns its id.
    @discardableResult
    func takeMirrorSnapshot(_ image: String, on site: Site? = nil) async throws -> UInt64 {
        let site = site ?? siteA
        try await site.mirror("snapshot", image: image)
        guard let newest = try await site.snapshots(image).last(where: { $0.isMirror }) else {
            throw ToolFailure(tool: "rbd mirror image snapshot", text: "no mirror snapshot of \(image) is there")
        }
        return newest.id
    }

    /// Waits until the newest mirror snapshot of one site is complete on the other, and what it replaces is gone.
    func waitForSync(_ image: String, from source: Site? = nil, within limit: Duration = .seconds(60)) async throws {
        let source = source ?? siteA
        let target = other(than: source)
        guard let newest = try await source.snapshots(image).last(where: { $0.isMirror }) else {
            throw ToolFailure(tool: "rbd snap ls", text: "no mirror snapshot of \(image) is there")
        }
        try await waitUntil("snapshot \(newest.id) of \(source.spec(image)) is on \(target.name)", within: limit, every: .milliseconds(100)) {
            guard let copies = try? await target.snapshots(image).filter({ $0.isMirror && !$0.isPrimary }), copies.count == 1 else {
                return false
            }
            return copies[0].isComplete && copies[0].namespace.primary_snap_id == newest.id
        }
    }
}
