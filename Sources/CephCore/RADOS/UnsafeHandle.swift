/// A C handle that Ceph itself locks, made sendable: the one such box in the module.
struct UnsafeHandle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
}
