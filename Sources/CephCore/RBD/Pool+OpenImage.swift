internal import CCeph
internal import Glibc

extension Pool {
    /// Opens an image by name, at HEAD or at a snapshot.
    ///
    /// Images in this view's namespace are meant; the view's read snapshot and write context play no part.
    /// - Parameter point: The snapshot that reads see; such an image can only be read.
    /// - Throws: `ENOENT` when the image or the snapshot does not exist.
    /// - C calls: `rbd_aio_open`, `rbd_aio_open_read_only`, `rbd_snap_set_by_id`, `rbd_snap_get_id`
    public func openImage(
        _ name: String, at point: Image.SnapshotReference? = nil, for access: Image.Access = .readOnly
    ) async throws(CephError) -> Image {
        try await open(name, isID: false, point, access)
    }

    /// Opens an image by id, at HEAD or at a snapshot.
    ///
    /// - C calls: `rbd_aio_open_by_id`, `rbd_aio_open_by_id_read_only`, `rbd_snap_set_by_id`
    public func openImage(
        id: String, at point: Image.SnapshotReference? = nil, for access: Image.Access = .readOnly
    ) async throws(CephError) -> Image {
        try await open(id, isID: true, point, access)
    }

    /// Opens an image by name for the time of `body` and closes it whatever happens.
    public func withImage<Value>(
        _ name: String, at point: Image.SnapshotReference? = nil, for access: Image.Access = .readOnly,
        _ body: (Image) async throws -> Value
    ) async throws -> Value {
        try await closing(try await openImage(name, at: point, for: access), after: body)
    }

    /// Opens an image by id for the time of `body` and closes it whatever happens.
    public func withImage<Value>(
        id: String, at point: Image.SnapshotReference? = nil, for access: Image.Access = .readOnly,
        _ body: (Image) async throws -> Value
    ) async throws -> Value {
        try await closing(try await openImage(id: id, at: point, for: access), after: body)
    }

    private func closing<Value>(_ image: Image, after body: (Image) async throws -> Value) async throws -> Value {
        let value: Value
        do {
            value = try await body(image)
        } catch {
            try? await image.close()
            throw error
        }
        try await image.close()
        return value
    }

    private func open(
        _ image: String, isID: Bool, _ point: Image.SnapshotReference?, _ access: Image.Access
    ) async throws(CephError) -> Image {
        let pool = try forImages()
        let subject = Image.subject(pool, image, point)
        let start = isID
            ? (access.isReadOnly ? rbd_aio_open_by_id_read_only : rbd_aio_open_by_id)
            : (access.isReadOnly ? rbd_aio_open_read_only : rbd_aio_open)
        let opened = try await opened(pool, subject) { slot, completion in
            var name: String?
            if case .name(let snapshot) = point?.kind { name = snapshot }
            return name.withCString { start(pool.handle.pointer, image, slot, $0, completion) }
        }
        return try await LentThread.run("rbd_open", on: subject, in: nil, within: cluster.deadlines.image) {
            () throws(CephError) in
            let handle = opened.handle.pointer
            var snapshotID: UInt64?
            switch point?.kind {
            case .id(let id):
                try check(rbd_snap_set_by_id(handle, id), "rbd_snap_set_by_id", on: subject)
                snapshotID = id
            case .name(let name):
                var id: UInt64 = 0
                try check(rbd_snap_get_id(handle, name, &id), "rbd_snap_get_id", on: subject)
                snapshotID = id
            case nil: break
            }
            let id = try grown(from: 64, "rbd_get_id", on: subject) { rbd_get_id(handle, $0, $1) }
            let name = try CText.sized(from: 128, "rbd_get_name", on: subject) { rbd_get_name(handle, $0, $1) }
            return Image(
                handle: opened.take(), pool: pool, id: id, name: name, access: access, point: point, snapshotID: snapshotID)
        }
    }

    /// A handle that nobody has taken yet: it is closed if nobody does.
    private final class Opened: Sendable {
        let handle: UnsafeHandle
        private let pool: Pool
        private let isTaken = Locked(false)

        init(_ handle: UnsafeHandle, _ pool: Pool) {
            self.handle = handle
            self.pool = pool
        }

        deinit { if !isTaken.withLock({ $0 }) { Image.startClosing(handle, pool) } }

        func take() -> UnsafeHandle {
            isTaken.withLock { $0 = true }
            return handle
        }
    }

    /// Awaits an asynchronous opening; the connection lives until the image is closed.
    private func opened(
        _ pool: Pool, _ subject: String, _ start: (UnsafeMutablePointer<rbd_image_t?>, rbd_completion_t) -> CInt
    ) async throws(CephError) -> Opened {
        try cluster.gate.enter("rbd_open", on: subject)
        let slot = OutPointer<rbd_image_t?>(nil)
        let wait = AbandonableWait { code in
            if code < 0 { return pool.cluster.gate.leave() }
            Image.startClosing(UnsafeHandle(pointer: slot.pointer.pointee!), pool)
        }
        let code = await wait.run(within: cluster.deadlines.image) {
            ImageCallback { wait.finish($0) }.begin { start(slot.pointer, $0) }
        }
        guard let code else { throw .timeout("rbd_open", on: subject) }
        if code < 0 { cluster.gate.leave() }
        try check(CInt(clamping: code), "rbd_open", on: subject)
        return Opened(UnsafeHandle(pointer: slot.pointer.pointee!), pool)
    }

    /// The view librbd starts from: HEAD, without a write context.
    private func forImages() throws(CephError) -> Pool {
        readSnapshot == nil && writeContext == SnapshotContext() ? self : try reading(at: nil).writing(in: SnapshotContext())
    }
}

extension Optional where Wrapped == String {
    /// The text as C takes it, null for none.
    func withCString<R>(_ body: (UnsafePointer<CChar>?) -> R) -> R {
        switch self {
        case .none: body(nil)
        case .some(let text): text.withCString { body($0) }
        }
    }
}
