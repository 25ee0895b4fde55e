internal import CCeph
internal import Glibc

/// An open RBD image, through librbd.
///
///     try await pool.withImage("vm-17", at: .snapshot("monday")) { image in
///         let head = try await image.read(0..<4096)
///     }
///
/// Reading works on every image; a replica that is not primary refuses all changes with `EROFS`. Open images
/// keep their pool and cluster. Close them in order with ``close()``: librbd has to talk to the cluster for it.
public final class Image: Sendable {
    let handle: UnsafeHandle
    let gate = CallGate()
    public let pool: Pool
    public let id: String
    /// The name at the time of opening.
    public let name: String
    public let access: Access
    /// The point that reads see; nil for HEAD.
    public let point: SnapshotReference?
    /// The id of the snapshot that reads see, also when its name has gone to another one since; nil for HEAD.
    public let snapshotID: UInt64?

    /// What an open image may be used for.
    public struct Access: Hashable, Sendable {
        package let isReadOnly: Bool
        /// Takes no part in the image: does not watch it, so what it shows of it stays as it was when it was opened.
        public static let readOnly = Access(isReadOnly: true)
        /// Watches the image and, to write, takes the exclusive lock from who has it.
        public static let readWrite = Access(isReadOnly: false)
    }

    /// One snapshot of an image, as a caller names it.
    public struct SnapshotReference: Hashable, Sendable, CustomStringConvertible {
        package enum Kind: Hashable, Sendable { case name(String), id(UInt64) }
        package let kind: Kind

        /// A user snapshot by name.
        public static func snapshot(_ name: String) -> SnapshotReference { SnapshotReference(kind: .name(name)) }
        /// A snapshot of any namespace by id.
        public static func snapshotID(_ id: UInt64) -> SnapshotReference { SnapshotReference(kind: .id(id)) }

        public var description: String {
            switch kind {
            case .name(let name): name
            case .id(let id): "id \(id)"
            }
        }
    }

    init(
        handle: UnsafeHandle, pool: Pool, id: String, name: String, access: Access, point: SnapshotReference?, snapshotID: UInt64?
    ) {
        self.handle = handle
        self.pool = pool
        self.id = id
        self.name = name
        self.access = access
        self.point = point
        self.snapshotID = snapshotID
    }

    deinit {
        let handle = handle
        let pool = pool
        gate.close { Self.startClosing(handle, pool) }
    }

    /// What people call this image: `pool/namespace/image@snapshot`.
    public var spec: String { "\(pool.spec)/\(name)" + (point.map { "@\($0)" } ?? "") }

    /// What errors call it.
    var subject: String { Self.subject(pool, name, point) }

    static func subject(_ pool: Pool, _ image: String, _ point: SnapshotReference?) -> String {
        pool.subject(image) + (point.map { "@\($0)" } ?? "")
    }

    /// Closes the image: waits for the calls in flight, flushes, gives up lock and watch.
    ///
    /// Further calls fail with `ENOTCONN`. Closing twice does nothing.
    /// - Throws: `ETIMEDOUT` when that takes longer than the image deadline; it goes on by itself then.
    /// - C call: `rbd_aio_close`
    public func close() async throws(CephError) {
        let handle = handle
        let pool = pool
        let wait = AbandonableWait()
        let code = await wait.run(within: pool.cluster.deadlines.image) {
            let isFirst = gate.close { Self.startClosing(handle, pool) { wait.finish($0) } }
            if !isFirst { wait.finish(0) }
        }
        guard let code else { throw .timeout("rbd_aio_close", on: subject) }
        try check(CInt(clamping: code), "rbd_aio_close", on: subject)
    }

    /// Starts closing without blocking; the pool and the connection live until it is done.
    static func startClosing(
        _ handle: UnsafeHandle, _ pool: Pool, _ done: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        ImageCallback { code in
            done(code)
            pool.cluster.gate.leave()
        }.begin { rbd_aio_close(handle.pointer, $0) }
    }
}
