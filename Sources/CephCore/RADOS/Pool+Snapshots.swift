internal import CCeph
internal import Glibc

extension Pool {
    /// Allocates a self-managed snapshot id; ids only grow.
    ///
    /// A monitor proposal: 50 ms after a quiet moment, up to a second under load.
    /// - C call: `rados_aio_ioctx_selfmanaged_snap_create`
    public func createSelfManagedSnapshot() async throws(CephError) -> UInt64 {
        let id = UnsafeMutablePointer<rados_snap_t>.allocate(capacity: 1)
        id.initialize(to: 0)
        defer { id.deallocate() }
        try await cluster.completion(of: "rados_aio_ioctx_selfmanaged_snap_create", on: spec) {
            rados_aio_ioctx_selfmanaged_snap_create(handle.pointer, id, $0)
            return 0
        }
        return id.pointee
    }

    /// Gives a self-managed snapshot id up; the OSDs trim its clones in their own time.
    ///
    /// - C call: `rados_aio_ioctx_selfmanaged_snap_remove`
    public func removeSelfManagedSnapshot(_ id: UInt64) async throws(CephError) {
        try await cluster.completion(of: "rados_aio_ioctx_selfmanaged_snap_remove", on: "\(spec) snapshot \(id)") {
            rados_aio_ioctx_selfmanaged_snap_remove(handle.pointer, id, $0)
            return 0
        }
    }

    /// Makes an object what it was at a self-managed snapshot: also gone, where it was not there.
    ///
    /// The view's write context preserves what is there now.
    /// - Throws: `ENOENT` when it was not there, and is not.
    /// - C call: `rados_ioctx_selfmanaged_snap_rollback`
    public func rollBack(_ object: String, to snapshot: UInt64) async throws(CephError) {
        let (handle, operation, subject) = (handle, "rados_ioctx_selfmanaged_snap_rollback", subject(object))
        try await cluster.lend(operation, on: subject, within: cluster.deadlines.object) { () throws(CephError) in
            try check(rados_ioctx_selfmanaged_snap_rollback(handle.pointer, object, snapshot), operation, on: subject)
        }
    }
}
