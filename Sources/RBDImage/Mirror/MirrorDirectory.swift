public import CephCore
internal import Glibc

/// The mirroring object of a pool (or namespace): mode, peers, images and statuses.
///
/// - Class methods: `rbd.mirror_*` on `rbd_mirroring`
public struct MirrorDirectory: Sendable {
    /// The object all of it is kept in.
    public static let object = "rbd_mirroring"
    public let pool: Pool

    public init(_ pool: Pool) { self.pool = pool }

    private func read<T>(
        _ call: ClassCall, _ body: (inout Decoder) throws(WireError) -> T
    ) async throws(CephError) -> T {
        let reply = try await pool.call(call, on: Self.object)
        do throws(WireError) { return try Decoder.decode(reply, as: call.method, body) } catch {
            throw .undecodable(error, operation: call.method, subject: "\(pool.spec)/\(Self.object)")
        }
    }

    /// Like `read`, with nil for `ENOENT`.
    private func find<T>(
        _ call: ClassCall, _ body: (inout Decoder) throws(WireError) -> T
    ) async throws(CephError) -> T? {
        do throws(CephError) { return try await read(call, body) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    // MARK: Pool

    /// The pool's mirror mode; disabled where it was never set.
    public func mode() async throws(CephError) -> MirrorMode {
        try await find(MirroringMethod.modeGet()) { (d) throws(WireError) in MirrorMode(rawValue: try d.u32()) } ?? .disabled
    }

    /// The pool's mirror uuid, nil while mirroring was never enabled.
    public func uuid() async throws(CephError) -> String? {
        try await find(MirroringMethod.uuidGet()) { (d) throws(WireError) in try d.string() }
    }

    /// The sites the pool exchanges images with; none while mirroring was never enabled.
    public func peers() async throws(CephError) -> [MirrorPeer] {
        try await find(MirroringMethod.peerList()) { (d) throws(WireError) in
            try d.list { (d) throws(WireError) in try MirrorPeer(from: &d) }
        } ?? []
    }

    /// Tells the other side who pulls from it: refreshes or makes the peer record there.
    public func ping(siteName: String, mirrorUUID: String) async throws(CephError) {
        try await pool.change(Self.object, with: MirroringMethod.peerPing(siteName: siteName, mirrorUUID: mirrorUUID))
    }

    // MARK: Images

    /// All mirrored images, id to global id.
    public func images() async throws(CephError) -> [String: String] {
        var images: [String: String] = [:]
        var after = ""
        let page = 1024
        while true {
            let some = try await find(MirroringMethod.imageList(after: after, limit: UInt64(page))) { (d) throws(WireError) in
                try d.list { (d) throws(WireError) in (try d.string(), try d.string()) }
            } ?? []
            for (id, globalID) in some { images[id] = globalID }
            guard some.count == page, let last = some.last else { return images }
            after = last.0
        }
    }

    /// An image's record by its image id (not its global id); nil when it is not mirrored.
    public func image(_ id: String) async throws(CephError) -> MirrorImage? {
        try await find(MirroringMethod.imageGet(id: id)) { (d) throws(WireError) in try MirrorImage(from: &d) }
    }

    /// The image id that has a global id.
    public func imageID(ofGlobalID globalID: String) async throws(CephError) -> String? {
        try await find(MirroringMethod.imageGetImageID(globalID: globalID)) { (d) throws(WireError) in try d.string() }
    }

    /// Makes or replaces an image's record, by image id.
    public func setImage(_ id: String, _ image: MirrorImage) async throws(CephError) {
        try await pool.change(Self.object, with: MirroringMethod.imageSet(id: id, image))
    }

    /// Removes an image's record, which must be *disabling*.
    public func removeImage(_ id: String) async throws(CephError) {
        try await pool.change(Self.object, with: MirroringMethod.imageRemove(id: id))
    }

    /// Tells the watchers that an image was enabled or disabled.
    public func notify(_ notification: MirroringNotification) async throws(CephError) {
        try await pool.notify(Self.object, notification.encoded)
    }

    // MARK: Statuses

    /// What all sites' daemons say of an image; nil when none says anything.
    public func status(ofGlobalID globalID: String) async throws(CephError) -> MirrorImageStatus? {
        try await find(MirroringMethod.statusGet(globalID: globalID)) { (d) throws(WireError) in try MirrorImageStatus(from: &d) }
    }

    /// Forgets the statuses of daemons that are gone.
    public func removeDownStatuses() async throws(CephError) {
        try await pool.change(Self.object, with: MirroringMethod.statusRemoveDown())
    }
}
