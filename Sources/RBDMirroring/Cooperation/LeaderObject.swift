internal import CephCore
internal import Glibc
internal import RBDImage

/// The object where the daemons of a pool (or namespace) meet: who they are and which images they serve.
///
/// - Class methods: `rbd.mirror_instances_*`, `rbd.mirror_image_map_*` on `rbd_mirror_leader`
struct LeaderObject: Sendable {
    static let name = "rbd_mirror_leader"
    /// The lock on it and on mailboxes.
    static let lock = "rbd_lock"
    let pool: Pool

    func create() async throws(CephError) {
        var operation = WriteOperation()
        operation.create(exclusive: false)
        try await pool.apply(operation, to: Self.name)
    }

    /// The instance ids of registered daemons.
    func instances() async throws(CephError) -> Set<String> {
        try await read(MirroringMethod.instancesList()) { (d) throws(WireError) in
            Set(try d.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.string() })
        } ?? []
    }

    func addInstance(_ id: String) async throws(CephError) {
        try await pool.change(Self.name, with: MirroringMethod.instancesAdd(id))
    }

    func removeInstance(_ id: String) async throws(CephError) {
        do throws(CephError) {
            try await pool.change(Self.name, with: MirroringMethod.instancesRemove(id), flags: .evenWhenFull)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// The whole image map, page by page.
    func imageMap() async throws(CephError) -> [String: MirrorImageMapEntry] {
        var map: [String: MirrorImageMapEntry] = [:]
        var after = ""
        let page = 1024
        while true {
            let some = try await read(MirroringMethod.imageMapList(after: after, limit: UInt64(page))) { (d) throws(WireError) in
                try d.list(elementsOfAtLeast: 4) { (d) throws(WireError) in (try d.string(), try MirrorImageMapEntry(from: &d)) }
            } ?? []
            for (globalID, entry) in some { map[globalID] = entry }
            guard some.count == page, let last = some.last else { return map }
            after = last.0
        }
    }

    /// The daemon that the map gives an image to; nil when it knows none.
    func holder(of globalID: String) async throws(CephError) -> String? {
        let key = "image_map_\(globalID)"
        var operation = ReadOperation()
        let values = operation.omapValues(ofKeys: [key])
        try await pool.perform(operation, on: Self.name)
        guard let value = try values.value().values[key] else { return nil }
        do throws(WireError) { return try MirrorImageMapEntry(encoded: value).instanceID } catch {
            throw .undecodable(error, operation: "image map", subject: "\(pool.spec)/\(Self.name)")
        }
    }

    func map(_ globalID: String, to entry: MirrorImageMapEntry) async throws(CephError) {
        try await pool.change(Self.name, with: MirroringMethod.imageMapUpdate(globalID: globalID, entry))
    }

    func unmap(_ globalID: String) async throws(CephError) {
        do throws(CephError) {
            try await pool.change(Self.name, with: MirroringMethod.imageMapRemove(globalID: globalID), flags: .evenWhenFull)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Nil when the object does not exist.
    private func read<T>(
        _ call: ClassCall, _ body: (inout Decoder) throws(WireError) -> T
    ) async throws(CephError) -> T? {
        let reply: [UInt8]
        do throws(CephError) { reply = try await pool.call(call, on: Self.name) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
        do throws(WireError) { return try Decoder.decode(reply, as: call.method, body) } catch {
            throw .undecodable(error, operation: call.method, subject: "\(pool.spec)/\(Self.name)")
        }
    }
}

extension CephTime {
    static var now: CephTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return CephTime(seconds: UInt32(truncatingIfNeeded: time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }
}
