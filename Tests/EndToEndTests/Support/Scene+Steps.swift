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

    /// Waits until stock has copied the newest mirror snapshot of site A.
    func waitForStock(_ image: String) async throws {
        let newest = try await siteA.lastMirrorSnapshot(image).id
        try await waitUntil("stock has snapshot \(newest) of \(image)", within: .seconds(120), every: .milliseconds(300)) {
            guard let last = try? await siteB.lastMirrorSnapshot(image) else { return false }
            return last.isComplete && last.primaryID == newest
        }
    }

    /// Waits until the newest mirror snapshot of one site is complete on the other, and what it replaces is gone.
    ///
    /// - Parameter prunes: Whether the daemon there removes what is replaced: stock of 16.2 leaves copies of demotions behind.
    func waitForSync(
        _ image: String, from source: Site? = nil, within limit: Duration = .seconds(60), prunes: Bool = true
    ) async throws {
        let source = source ?? siteA
        let target = other(than: source)
        guard let newest = try await source.snapshots(image).last(where: \.isMirror) else {
            throw ToolFailure(tool: "rbd snap ls", text: "no mirror snapshot of \(image) is there")
        }
        try await waitUntil(
            "snapshot \(newest.id) of \(source.spec(image)) is on \(target.name)", within: limit, every: .milliseconds(100)
        ) {
            guard let all = try? await target.snapshots(image), let last = all.last(where: \.isMirror) else { return false }
            return last.isComplete && last.primaryID == newest.id && !all.contains(where: \.isTrash)
                && (!prunes || all.filter(\.isCopy).count == 1)
        }
    }
}

extension Scene {
    /// Waits until site B follows an image again, then with one more change, and compares both sides.
    func expectFollowed(_ image: String, _ change: DiffStream, within limit: Duration) async throws {
        try await waitForSync(image, within: limit)
        try await siteB.waitForStatus(image, state: "up+replaying")
        try await siteA.write(change, to: image)
        try await takeMirrorSnapshot(image)
        try await waitForSync(image, within: .seconds(15))
        try await ImageJudge(image: image).compare(siteA, siteB)
    }

    /// Demotes the primary, waits until the other site has all of it, and promotes there.
    func handOver(_ image: String, from source: Site) async throws {
        let target = other(than: source)
        try await source.mirror("demote", image: image)
        try await waitForSync(image, from: source)
        try await target.mirror("promote", image: image)
    }

    /// Has `rbd` compare the object maps of an image and its snapshots with the objects.
    ///
    /// - Parameter allowsExcess: Objects may count as changed that were not. librbd does that itself where it discards what a
    ///   clone has discarded before, and the check finds it in librbd's own images.
    func checkObjectMaps(
        _ image: String, on site: Site, ofSnapshots: Bool = true, allowsExcess: Bool = false
    ) async throws {
        let snapshots = ofSnapshots ? try await site.cluster.rbdJSON("snap", "ls", site.spec(image), as: [NamedSnapshot].self) : []
        for spec in [site.spec(image)] + snapshots.map({ "\(site.spec(image))@\($0.name)" }) {
            let result = try await site.cluster.output("rbd", ["object-map", "check", spec])
            let complaints = result.errorText.split(whereSeparator: { "\n\r".contains($0) }).filter { $0.contains("error") }
            let isExcess = allowsExcess && !complaints.isEmpty && complaints.allSatisfy { $0.contains("marked as 1, but should be 3") }
            if isExcess { continue }
            guard result.exit.isSuccess, complaints.isEmpty else {
                throw ToolFailure(tool: "rbd object-map check \(spec)", text: result.errorText)
            }
            let info = try await site.rbd("info", spec)
            guard !info.contains("invalid") else { throw ToolFailure(tool: "rbd info \(spec)", text: info) }
        }
    }

    private struct NamedSnapshot: Decodable { var name: String }
}

extension Scene {
    /// Waits until a part of a sync of a slow target has arrived, and has the rest take its time.
    ///
    /// - Parameter image: Its copy takes a second at least: see ``Site/slowDown(by:)``.
    func holdSync(_ image: String) async throws {
        try await waitUntil("the sync of \(image) is under way", within: .seconds(40)) {
            try await siteB.lastMirrorSnapshot(image).isUnderWay
        }
        try await siteB.slowDown(by: .milliseconds(100))
    }
}
