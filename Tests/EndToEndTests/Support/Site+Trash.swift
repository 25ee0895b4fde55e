import CephSandbox

/// An entry of `rbd trash ls --all --long --format json`.
struct TrashListing: Decodable, Sendable {
    var id: String
    var name: String
    var source: String
    /// As in `protected until Wed Nov 25 10:00:00 2026`.
    var status: String?
}

extension Site {
    func trash() async throws -> [TrashListing] { try await cluster.rbdJSON("trash", "ls", "--all", "--long", pool) }

    /// Waits until nothing of an image is there: no object, also none that the OSD has yet to trim, and no entry of the trash.
    func waitUntilGone(_ id: String, in dataPool: String? = nil, within limit: Duration = .seconds(40)) async throws {
        var left: [String] = []
        do {
            try await waitUntil("image \(id) is gone from \(name)", within: limit, every: .milliseconds(200)) {
                left = try await objects().filter { $0.contains(id) }
                if dataPool != nil { left += try await objects(in: dataPool).filter { $0.contains(id) } }
                if left.isEmpty { left = try await trash().filter { $0.id == id }.map { "trash: \($0)" } }
                return left.isEmpty
            }
        } catch {
            throw ToolFailure(tool: "rados ls", text: "\(error)\n\(left.prefix(20).joined(separator: "\n"))")
        }
    }

    /// Waits until another image has the name.
    func waitForNewID(_ image: String, than old: String) async throws {
        try await waitUntil("\(spec(image)) is another image on \(name)", within: .seconds(40), every: .milliseconds(100)) {
            guard let id = try? await imageID(image) else { return false }
            return id != old
        }
    }

    /// Waits until an image is not in the pool's directory (any more).
    func waitUntilUnnamed(_ image: String, within limit: Duration = .seconds(40)) async throws {
        try await waitUntil("\(spec(image)) is no longer listed on \(name)", within: limit, every: .milliseconds(50)) {
            try await !images().contains(image)
        }
    }
}
