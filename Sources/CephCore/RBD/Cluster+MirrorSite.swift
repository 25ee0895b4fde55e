internal import CCeph

extension Cluster {
    /// What the cluster is called among those it mirrors with; its id where no name was set.
    ///
    /// Asks as `rbd_mirror_site_name_get` does, which takes a monitor that does not answer for a name that is not set.
    /// - C call: `rados_mon_command`
    public func mirrorSiteName() async throws(CephError) -> String {
        do throws(CephError) {
            let name = try await monitorCommand(["prefix": "config-key get", "key": "rbd/mirror/site_name"]).text
            return name.isEmpty ? try fsid() : name
        } catch {
            guard error.isNotFound else { throw error }
            return try fsid()
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
