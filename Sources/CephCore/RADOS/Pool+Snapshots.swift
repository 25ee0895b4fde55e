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
}
