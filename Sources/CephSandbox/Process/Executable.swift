internal import Glibc

/// Where executables are, and which Debian package brings them.
enum Executable {
    /// Finds an executable by path or by name, and throws `missingPackage` if there is none.
    static func locate(_ name: String) throws(SandboxError) -> String {
        guard let path = find(name, root: "") else { throw missing([name], root: "") }
        return path
    }

    /// Finds an executable below a root; the path returned is as seen from inside that root.
    static func find(_ name: String, root: String) -> String? {
        if name.contains("/") { return isExecutable(root + name) ? name : nil }
        let own = root.isEmpty ? getenv("PATH").map { String(cString: $0) } ?? "" : ""
        let folders = own.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return folders.lazy.map { "\($0)/\(name)" }.first { isExecutable(root + $0) }
    }

    /// The error that names what to install.
    static func missing(_ names: [String], root: String) -> SandboxError {
        let packages = Set(names.compactMap(package)).sorted()
        let place = root.isEmpty ? "" : " in \(root)"
        let install = "apt-get install -y --no-install-recommends \(packages.joined(separator: " "))"
        return SandboxError(
            .missingPackage, "Not found\(place): \(names.joined(separator: ", ")).",
            advice: packages.isEmpty
                ? "Check the path." : "Install the Debian packages: \(root.isEmpty ? "" : "chroot \(root) ")\(install)")
    }

    /// The Debian package that brings an executable of Ceph.
    static func package(of name: String) -> String? {
        switch name {
        case "ceph-mon", "ceph-mgr", "ceph-osd", "ceph-mds", "rbd-mirror", "cephfs-mirror": name
        case "ceph", "rbd", "rados", "ceph-authtool", "ceph-conf": "ceph-common"
        case "monmaptool", "osdmaptool", "crushtool": "ceph-base"
        case "chroot": "coreutils"
        default: nil
        }
    }

    private static func isExecutable(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
