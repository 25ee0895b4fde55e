internal import CCeph
internal import Glibc

extension Cluster {
    /// Registers this client as a daemon in the service map.
    ///
    /// The manager shows it in `ceph -s` and `service dump` until the connection ends; its beacon
    /// is sent by librados.
    /// - Throws: `EINVAL` for an empty name of a field, or a zero byte in one; `EEXIST` when it was registered before.
    /// - C call: `rados_service_register`
    public func registerService(
        _ service: String, daemon: String, metadata: [String: String]
    ) async throws(CephError) {
        let handle = handle
        let pairs = try zeroSeparated(metadata)
        try await lend("rados_service_register", on: "\(service).\(daemon)", within: deadlines.monitor) {
            () throws(CephError) in
            try check(
                pairs.withUnsafeBytes {
                    rados_service_register(handle.pointer, service, daemon, $0.baseAddress!.assumingMemoryBound(to: CChar.self))
                }, "rados_service_register", on: "\(service).\(daemon)")
        }
    }

    /// Replaces the status this client's service shows.
    ///
    /// - C call: `rados_service_update_status`
    public func updateServiceStatus(_ status: [String: String]) async throws(CephError) {
        let handle = handle
        let pairs = try zeroSeparated(status)
        try await lend("rados_service_update_status", on: name, within: deadlines.monitor) { () throws(CephError) in
            try check(
                pairs.withUnsafeBytes {
                    rados_service_update_status(handle.pointer, $0.baseAddress!.assumingMemoryBound(to: CChar.self))
                }, "rados_service_update_status")
        }
    }

    /// `key\0value\0…\0`, the form the service calls take.
    private func zeroSeparated(_ pairs: [String: String]) throws(CephError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            guard !key.isEmpty, !key.utf8.contains(0), !value.utf8.contains(0) else {
                throw CephError(code: EINVAL, operation: "rados_service", subject: "field \(key)")
            }
            bytes += Array(key.utf8) + [0] + Array(value.utf8) + [0]
        }
        return bytes + [0]
    }
}
