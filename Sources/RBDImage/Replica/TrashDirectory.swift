public import CephCore
internal import Glibc

/// The images in a pool's (or namespace's) trash.
///
/// - Class methods: `rbd.trash_*` on `rbd_trash`
public struct TrashDirectory: Sendable {
    public let pool: Pool

    public init(_ pool: Pool) { self.pool = pool }

    /// Makes the object if need be, so that it can be watched.
    public func create() async throws(CephError) {
        var operation = WriteOperation()
        operation.create(exclusive: false)
        try await pool.apply(operation, to: ObjectNames.trash)
    }

    /// All entries, by image id.
    public func entries() async throws(CephError) -> [String: TrashImageSpec] {
        var entries: [String: TrashImageSpec] = [:]
        var after = ""
        let page = 1024
        while true {
            let some = try await find(TrashMethod.list(after: after, limit: UInt64(page))) ?? []
            for (id, spec) in some { entries[id] = spec }
            guard some.count == page, let last = some.last else { return entries }
            after = last.id
        }
    }

    /// An image's entry; nil when it is not in the trash.
    public func entry(_ id: String) async throws(CephError) -> TrashImageSpec? { try await find(TrashMethod.get(id: id)) }

    /// Enters an image; returns false for one that is entered already, whose entry stays as it is.
    @discardableResult
    public func add(_ id: String, _ spec: TrashImageSpec) async throws(CephError) -> Bool {
        do throws(CephError) {
            try await pool.change(ObjectNames.trash, with: TrashMethod.add(id: id, spec), flags: .evenWhenFull)
            return true
        } catch {
            guard error.alreadyExists else { throw error }
            return false
        }
    }

    /// Changes an entry's state; returns false when it is not in the expected one (any more).
    public func setState(
        _ id: String, to state: TrashImageSpec.State, from expected: TrashImageSpec.State
    ) async throws(CephError) -> Bool {
        let call = TrashMethod.setState(id: id, to: state.rawValue, from: expected.rawValue)
        do throws(CephError) {
            try await pool.change(ObjectNames.trash, with: call, flags: .evenWhenFull)
            return true
        } catch {
            guard error.isNotFound || error.code == ESTALE else { throw error }
            return false
        }
    }

    /// Takes an entry out, if it is there.
    public func remove(_ id: String) async throws(CephError) {
        do throws(CephError) {
            try await pool.change(ObjectNames.trash, with: TrashMethod.remove(id: id), flags: .evenWhenFull)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Tells the watchers that an image came or went.
    public func notify(_ notification: TrashNotification) async throws(CephError) {
        try await pool.notify(ObjectNames.trash, notification.encoded)
    }

    /// Nil for `ENOENT`.
    private func find<T>(_ query: ClassQuery<T>) async throws(CephError) -> T? {
        let reply: [UInt8]
        do throws(CephError) { reply = try await pool.call(query.call, on: ObjectNames.trash) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
        do throws(WireError) { return try query.decode(reply) } catch {
            throw .undecodable(error, operation: query.call.method, subject: "\(pool.spec)/\(ObjectNames.trash)")
        }
    }
}
