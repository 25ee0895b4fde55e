import CephCore
import CephSandbox

/// What a pool holds that belongs to none of the images that should be there.
struct Leftovers {
    let site: Site
    /// Where the images' data is; nil for the pool itself.
    var dataPool: String?

    /// - Throws: ``ToolFailure`` with everything that should be gone.
    func expectNone(images names: [String]) async throws {
        var images: [Image] = []
        for name in names { images.append(try await Image(name, site)) }
        var found = try await strangers(images)
        let ids = images.map(\.info.id), globals = images.compactMap(\.globalID)
        found += try await keys("rbd_directory", ["id_", "name_"], belong: ids + names)
        found += try await keys("rbd_mirroring", ["image_", "global_", "status_global_", "remote_status_global_"], belong: ids + globals)
        found += try await keys("rbd_mirror_leader", ["image_map_"], belong: globals)
        found += try await keys("rbd_mirror_leader", ["instance_"], belong: [])
        found += try await keys("rbd_trash", ["id_"], belong: [])
        // Only clones of format 1 are in there, which replicas never are.
        found += try await keys("rbd_children", [""], belong: [])
        for image in images { found += try await strays(of: image) }
        guard found.isEmpty else {
            throw ToolFailure(tool: "what is left in \(site.pool) on \(site.name)", text: found.joined(separator: "\n"))
        }
    }

    /// Waits until no object is there that belongs to none of the images, with daemons at work.
    func waitUntilOnly(images names: [String], within limit: Duration = .seconds(40)) async throws {
        var found: [String] = []
        do {
            try await waitUntil("\(site.pool) on \(site.name) holds nothing else", within: limit, every: .milliseconds(200)) {
                var images: [Image] = []
                for name in names { images.append(try await Image(name, site)) }
                found = try await strangers(images).filter { !$0.hasPrefix("rbd_mirror_instance.") }
                return found.isEmpty
            }
        } catch let error as SandboxError where error.code == .deadlineExceeded {
            throw ToolFailure(tool: "rados ls", text: "\(error.message)\n\(found.prefix(20).joined(separator: "\n"))")
        }
    }

    /// Objects of none of the images.
    private func strangers(_ images: [Image]) async throws -> [String] {
        var found = try await site.objects().filter { object in
            !Self.ofPool.contains(object) && !images.contains { $0.owns(object) || dataPool == nil && $0.ownsData(object) }
        }
        if dataPool != nil {
            found += try await site.objects(in: dataPool).filter { object in
                !Self.ofPool.contains(object) && !images.contains { $0.ownsData(object) }
            }
        }
        return found
    }

    private static let ofPool: Set = [
        "rbd_directory", "rbd_info", "rbd_mirroring", "rbd_mirror_leader", "rbd_trash", "rbd_children",
    ]

    /// Keys with one of the prefixes that name nobody of the list.
    private func keys(_ object: String, _ prefixes: [String], belong owners: [String]) async throws -> [String] {
        guard try await site.objects().contains(object) else { return [] }
        return try await site.omapKeys(object).filter { key in
            guard let prefix = prefixes.filter({ key.hasPrefix($0) }).max(by: { $0.count < $1.count }) else { return false }
            let rest = key.dropFirst(prefix.count)
            return !owners.contains { rest == $0 || rest.hasPrefix("\($0)_") }
        }.map { "\(object): \($0)" }
    }

    /// Locks without a daemon, unfinished snapshots, versions of data that no snapshot holds.
    private func strays(of image: Image) async throws -> [String] {
        let header = "rbd_header.\(image.info.id)"
        var found: [String] = []
        let lock = try await site.rados("lock", "info", header, "rbd_lock")
        if lock.contains("client.") { found.append("lock of \(header): \(lock)") }
        found += image.snapshots.filter { $0.isMirror && !$0.isComplete || $0.isTrash }.map { "snapshot \($0)" }
        let data = try await site.objects(in: dataPool).filter { $0.hasPrefix(image.info.block_name_prefix) }
        for object in data.prefix(4) {
            if let clones = try await stray(object, image) { found.append(clones) }
        }
        return found
    }

    /// What an object keeps for snapshots that are not there; the OSD removes it in its own time.
    private func stray(_ object: String, _ image: Image) async throws -> String? {
        let known = Set(image.snapshots.map { "\($0.id)" })
        var listing = ""
        do {
            try await waitUntil("\(object) is trimmed", within: .seconds(30), every: .milliseconds(500)) {
                listing = try await site.rados("listsnaps", object, in: dataPool)
                return listing.split(separator: "\n").dropFirst(2).filter { !$0.hasPrefix("head") }.allSatisfy { line in
                    line.split(separator: "\t")[1].split(separator: ",").allSatisfy { known.contains(String($0)) }
                }
            }
            return nil
        } catch let error as SandboxError where error.code == .deadlineExceeded {
            return "\(listing)of snapshots \(known.sorted())"
        }
    }

    private struct Image {
        let info: Info
        let globalID: String?
        let snapshots: [CephCore.Image.Snapshot]
        private let own: Set<String>

        struct Info: Decodable {
            var id: String
            var size: UInt64
            var object_size: UInt64
            var stripe_unit: UInt64?
            var stripe_count: UInt64?
            var block_name_prefix: String

            /// Stripe units are dealt out to the objects of a period, one each in turn, until all are full.
            func objectCount(forSize size: UInt64) -> UInt64 {
                let (unit, width) = (stripe_unit ?? object_size, stripe_count ?? 1)
                let (units, period) = ((size + unit - 1) / unit, width * (object_size / unit))
                return units / period * width + min(units % period, width)
            }
        }

        init(_ name: String, _ site: Site) async throws {
            let info = try await site.cluster.rbdJSON("info", site.spec(name), as: Info.self)
            self.info = info
            let globalID = try? await site.status(name).globalID
            self.globalID = globalID == "" ? nil : globalID
            snapshots = try await site.snapshots(name)
            own = Set(["rbd_id.\(name)", "rbd_header.\(info.id)", "rbd_object_map.\(info.id)"] + snapshots.flatMap { snapshot in
                [
                    "rbd_object_map.\(info.id).\(hexadecimal(snapshot.id))",
                    "rbd_mirror_snapshot.\(info.id).\(snapshot.id).0",
                ]
            })
        }

        func owns(_ object: String) -> Bool { own.contains(object) }

        func ownsData(_ object: String) -> Bool {
            guard object.hasPrefix(info.block_name_prefix + "."),
                let number = UInt64(object.dropFirst(info.block_name_prefix.count + 1), radix: 16) else { return false }
            return number < info.objectCount(forSize: ([info.size] + snapshots.map(\.size)).max()!)
        }
    }
}

private func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
