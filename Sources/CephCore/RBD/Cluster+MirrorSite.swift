internal import CCeph

extension Cluster {
    /// What the cluster is called among those it mirrors with; its id where no name was set.
    ///
    /// - C call: `rbd_mirror_site_name_get`
    public func mirrorSiteName() async throws(CephError) -> String {
        let (handle, place) = (handle, name)
        return try await lend("rbd_mirror_site_name_get", on: place, within: deadlines.monitor) { () throws(CephError) in
            try CText.sized(from: 128, "rbd_mirror_site_name_get", on: place) { rbd_mirror_site_name_get(handle.pointer, $0, $1) }
        }
    }

    /// Sets what the cluster is called among those it mirrors with.
    ///
    /// - C call: `rbd_mirror_site_name_set`
    public func setMirrorSiteName(_ siteName: String) async throws(CephError) {
        let (handle, place) = (handle, name)
        try await lend("rbd_mirror_site_name_set", on: place, within: deadlines.monitor) { () throws(CephError) in
            _ = try check(rbd_mirror_site_name_set(handle.pointer, siteName), "rbd_mirror_site_name_set", on: place)
        }
    }
}
