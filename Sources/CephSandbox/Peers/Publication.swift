internal import Glibc

/// A configuration file in `/etc/ceph`, where programs that know a cluster only by its name look for it.
final class Publication: Sendable {
    /// The cluster's name for `--cluster`; nobody else uses it.
    let name: String
    private let link: String

    /// Links `/etc/ceph/NAME.conf`, below the root of the binaries, to a configuration file.
    init(_ prefix: String, of file: String, for binaries: SandboxBinaries) throws(SandboxError) {
        name = "\(prefix)-\(randomName())"
        let folder = "\(binaries.root)/etc/ceph"
        link = "\(folder)/\(name).conf"
        let guardian = try Guardian.shared.get()
        try guardian.watch(link)
        // Another sandbox may remove the empty folder between the two calls.
        for _ in 0..<100 {
            if mkdir(folder, 0o755) == 0 { try guardian.watchEmpty(folder) }
            if symlink(file, link) == 0 { return }
            guard errno == ENOENT else { break }
        }
        throw .systemCall("symlink", link)
    }

    func remove() throws(SandboxError) {
        guard unlink(link) == 0 else { return }
        try Guardian.shared.get().forget(link)
    }
}
