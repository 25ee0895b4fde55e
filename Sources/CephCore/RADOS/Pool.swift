internal import CCeph
internal import Glibc

/// A pool of a cluster, seen through one namespace, read snapshot and write snapshot context.
///
/// A view never changes: ``inNamespace(_:)``, ``reading(at:)`` and ``writing(in:)`` make new ones,
/// so views can be used from many tasks at once.
public final class Pool: Sendable {
    let handle: UnsafeHandle
    /// The C++ side, where librados.hpp was found.
    let native: UnsafeHandle?
    public let cluster: Cluster
    public let id: Int64
    public let name: String
    /// Empty for the default namespace.
    public let namespace: String
    /// The self-managed snapshot reads see; nil for HEAD.
    public let readSnapshot: UInt64?
    /// The context writes carry; empty by default.
    public let writeContext: SnapshotContext

    private init(
        handle: UnsafeHandle, cluster: Cluster, id: Int64, name: String,
        namespace: String = "", readSnapshot: UInt64? = nil, writeContext: SnapshotContext = .init()
    ) {
        self.handle = handle
        self.cluster = cluster
        self.id = id
        self.name = name
        self.namespace = namespace
        self.readSnapshot = readSnapshot
        self.writeContext = writeContext
        // Else watches and their ends wait for a full pool to have room again; for operations it is said with each.
        rados_set_pool_full_try(handle.pointer)
        native = Self.usesNative ? cceph_io_open(handle.pointer).map(UnsafeHandle.init) : nil
    }

    deinit {
        if let native { cceph_io_close(native.pointer) }
        rados_ioctx_destroy(handle.pointer)
    }

    /// What errors call this pool: `pool` or `pool/namespace`.
    public var spec: String { namespace.isEmpty ? name : "\(name)/\(namespace)" }

    /// False when librados.hpp was not found at build time, or when the environment variable
    /// `CEPH_MIRRORING_NO_NATIVE` asks for the path that does without it.
    public static let usesNative = cceph_native_available() != 0 && getenv("CEPH_MIRRORING_NO_NATIVE") == nil

    func subject(_ object: String) -> String { "\(cluster.name):\(spec)/\(object)" }
}

/// The snapshots a write must preserve.
public struct SnapshotContext: Hashable, Sendable {
    /// The highest id; 0 without snapshots.
    public let sequence: UInt64
    /// Live ids, newest first.
    public let ids: [UInt64]

    /// An empty context: nothing is preserved.
    public init() {
        sequence = 0
        ids = []
    }

    /// A context of live ids; the newest is the sequence, as an object-level writer needs it.
    public init(_ ids: some Sequence<UInt64>) {
        self.ids = ids.sorted(by: >)
        sequence = self.ids.first ?? 0
    }
}

extension Cluster {
    /// Opens a pool by name.
    ///
    /// - Throws: `ENOENT` naming the pool when it does not exist.
    /// - C call: `rados_ioctx_create`
    public func pool(_ name: String) async throws(CephError) -> Pool {
        let handle = handle
        let found = try await lend(
            "rados_ioctx_create", on: "pool \(name)", within: deadlines.monitor,
            tooLate: { rados_ioctx_destroy($0.pointer) }
        ) { () throws(CephError) in
            var io: rados_ioctx_t?
            try check(rados_ioctx_create(handle.pointer, name, &io), "rados_ioctx_create", on: "pool \(name)")
            return UnsafeHandle(pointer: io!)
        }
        return Pool.adopting(found, of: self, id: rados_ioctx_get_id(found.pointer), name: name)
    }

    /// Opens a pool by id.
    ///
    /// - C call: `rados_ioctx_create2`
    public func pool(id: Int64) async throws(CephError) -> Pool {
        let handle = handle
        let found = try await lend(
            "rados_ioctx_create2", on: "pool \(id)", within: deadlines.monitor,
            tooLate: { rados_ioctx_destroy($0.pointer) }
        ) { () throws(CephError) in
            var io: rados_ioctx_t?
            try check(rados_ioctx_create2(handle.pointer, id, &io), "rados_ioctx_create2", on: "pool \(id)")
            return UnsafeHandle(pointer: io!)
        }
        let name = try grown(from: 128, "rados_ioctx_get_pool_name", on: "pool \(id)") {
            rados_ioctx_get_pool_name(found.pointer, $0, UInt32($1))
        }
        return Pool.adopting(found, of: self, id: id, name: name)
    }

    /// The pools there are, by id.
    ///
    /// - C calls: `rados_pool_list`, `rados_pool_lookup`
    public func pools() async throws(CephError) -> [Int64: String] {
        let handle = handle
        let subject = name
        return try await lend("rados_pool_list", on: subject, within: deadlines.monitor) { () throws(CephError) in
            var bytes = [CChar](repeating: 0, count: 1024)
            var needed = try check(rados_pool_list(handle.pointer, &bytes, bytes.count), "rados_pool_list", on: subject)
            while needed > bytes.count {
                bytes = [CChar](repeating: 0, count: needed)
                needed = try check(rados_pool_list(handle.pointer, &bytes, bytes.count), "rados_pool_list", on: subject)
            }
            let names = bytes.split(separator: 0).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
            var pools: [Int64: String] = [:]
            for name in names {
                let id = rados_pool_lookup(handle.pointer, name)
                if id >= 0 { pools[id] = name }
            }
            return pools
        }
    }
}

extension Pool {
    fileprivate static func adopting(_ handle: UnsafeHandle, of cluster: Cluster, id: Int64, name: String) -> Pool {
        Pool(handle: handle, cluster: cluster, id: id, name: name)
    }

    /// The same pool seen in another namespace.
    ///
    /// - C call: `rados_ioctx_set_namespace`
    public func inNamespace(_ namespace: String) throws(CephError) -> Pool {
        try view(namespace: namespace, readSnapshot: readSnapshot, writeContext: writeContext)
    }

    /// The same pool as it was at a self-managed snapshot; nil for HEAD.
    ///
    /// Writes through such a view fail with `EROFS`.
    /// - C call: `rados_ioctx_snap_set_read`
    public func reading(at snapshot: UInt64?) throws(CephError) -> Pool {
        try view(namespace: namespace, readSnapshot: snapshot, writeContext: writeContext)
    }

    /// The same pool with writes that preserve the given snapshots.
    ///
    /// - C call: `rados_ioctx_selfmanaged_snap_set_write_ctx`
    public func writing(in context: SnapshotContext) throws(CephError) -> Pool {
        try view(namespace: namespace, readSnapshot: nil, writeContext: context)
    }

    private func view(namespace: String, readSnapshot: UInt64?, writeContext: SnapshotContext) throws(CephError) -> Pool {
        var io: rados_ioctx_t?
        // The pool is in this client's map already, so this does not go to the monitors.
        try cluster.call("rados_ioctx_create2", on: spec) { rados_ioctx_create2(cluster.handle.pointer, id, &io) }
        let fresh = UnsafeHandle(pointer: io!)
        rados_ioctx_set_namespace(fresh.pointer, namespace)
        if let readSnapshot { rados_ioctx_snap_set_read(fresh.pointer, readSnapshot) }
        if !writeContext.ids.isEmpty {
            var ids = writeContext.ids
            let code = rados_ioctx_selfmanaged_snap_set_write_ctx(
                fresh.pointer, writeContext.sequence, &ids, CInt(ids.count))
            if code < 0 { rados_ioctx_destroy(fresh.pointer) }
            try check(code, "rados_ioctx_selfmanaged_snap_set_write_ctx", on: spec)
        }
        return Pool(
            handle: fresh, cluster: cluster, id: id, name: name,
            namespace: namespace, readSnapshot: readSnapshot, writeContext: writeContext)
    }
}
