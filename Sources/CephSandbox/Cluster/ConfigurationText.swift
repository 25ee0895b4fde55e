/// The text of a cluster's configuration file. Pure.
struct ConfigurationText {
    var fsid: String
    var folder: String
    var monitorHosts: String
    /// The ports for everything but the monitor.
    var ports: ClosedRange<Int>
    var configuration: SandboxConfiguration

    var text: String {
        let overrides = Dictionary(configuration.options.map { (Self.normal($0), $1) }, uniquingKeysWith: { $1 })
        let global = Dictionary(self.global, uniquingKeysWith: { $1 }).merging(overrides) { $1 }
        var lines = ["[global]"] + global.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
        for kind in ["mon", "mgr", "osd", "mds"] {
            lines += ["[\(kind)]"] + daemon(kind).map { "\($0) = \($1)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Ceph reads `a b`, `a_b` and `a-b` as one name.
    static func normal(_ name: String) -> String {
        String(name.map { $0 == " " || $0 == "-" ? "_" : $0 })
    }

    private var global: [(String, String)] {
        [
            ("fsid", fsid),
            ("mon_host", monitorHosts),
            ("public_addr", "127.0.0.1"),
            ("cluster_addr", "127.0.0.1"),
            ("ms_bind_port_min", "\(ports.lowerBound)"),
            ("ms_bind_port_max", "\(ports.upperBound)"),
            ("auth_cluster_required", "cephx"),
            ("auth_service_required", "cephx"),
            ("auth_client_required", "cephx"),
            ("auth_allow_insecure_global_id_reclaim", "false"),
            ("keyring", "\(folder)/$name.keyring"),
            ("run_dir", folder),
            ("crash_dir", "\(folder)/crash"),
            ("mon_cluster_log_file", "\(folder)/cluster.log"),
            ("mon_allow_pool_delete", "true"),
            ("mon_allow_pool_size_one", "true"),
            ("mon_warn_on_pool_no_redundancy", "false"),
            ("mon_data_avail_warn", "2"),
            ("mon_data_avail_crit", "1"),
            ("mon_max_pg_per_osd", "4000"),
            ("mon_osd_min_down_reporters", "1"),
            ("mgr_initial_modules", ""),
            ("osd_pool_default_size", "1"),
            ("osd_pool_default_min_size", "1"),
            ("osd_pool_default_pg_num", "8"),
            ("osd_pool_default_pgp_num", "8"),
            ("osd_pool_default_pg_autoscale_mode", "off"),
            ("osd_crush_chooseleaf_type", "0"),
            ("osd_memory_target", "\(1 << 30)"),
            ("osd_objectstore", configuration.objectStore.name),
            ("memstore_device_bytes", "\(configuration.objectStore.bytes)"),
            ("bluestore_block_size", "\(configuration.objectStore.bytes)"),
            ("bluestore_block_create", "true"),
        ] + (configuration.osds == 1 ? loneOSD : []) + (configuration.objectStore.name == "memstore" ? memoryStore : [])
    }

    /// A primary promises to serve reads for so many times `osd_heartbeat_grace` (0.8 times 20 s by default) and renews that with
    /// the answers of its replicas. One without replicas that was frozen for longer never gets another answer: once an operation
    /// has waited for it, its placement groups stay *laggy* for ever. Nobody else could serve these reads here.
    private var loneOSD: [(String, String)] { [("osd_pool_default_read_lease_ratio", "100")] }

    /// An OSD that is asked to end does so at once by default; objects in memory are written to disk at an orderly end only.
    private var memoryStore: [(String, String)] { [("osd_fast_shutdown", "false")] }

    private func daemon(_ kind: String) -> [(String, String)] {
        [
            ("\(kind)_data", "\(folder)/$name"),
            ("admin_socket", "\(folder)/$name.asok"),
            ("log_file", ""),
            ("log_to_stderr", "true"),
            ("pid_file", ""),
        ]
    }
}
