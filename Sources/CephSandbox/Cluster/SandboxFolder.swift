internal import Glibc
internal import SystemPackage

/// A folder of mode 0700 that is removed in the end, reachable by one path inside and outside of a chroot.
final class SandboxFolder: Sendable {
    /// The path by which everyone reaches the folder.
    let path: String
    /// Where the folder lies if it is in a chroot; `path` is a symbolic link to it then.
    private let place: String?

    init(_ name: String, for binaries: SandboxBinaries) throws(SandboxError) {
        let guardian = try Guardian.shared.get()
        guard binaries.root.isEmpty == false else {
            path = "\(guardian.folder)/\(name).\(randomName().prefix(4))"
            place = nil
            try checked(mkdir(path, 0o700), "mkdir", path)
            return
        }
        path = "/tmp/ceph-sandbox-\(randomName())"
        let place = binaries.root + path
        self.place = place
        try guardian.watch(place)
        try guardian.watch(path)
        try checked(mkdir(place, 0o700), "mkdir", place)
        try checked(symlink(place, path), "symlink", path)
    }

    /// Writes a file that only its owner can read.
    @discardableResult
    func write(_ name: String, _ content: String) throws(SandboxError) -> FilePath {
        let path = "\(path)/\(name)"
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(Array(content.utf8))
        return FilePath(path)
    }

    func makeFolder(_ name: String) throws(SandboxError) {
        try checked(mkdir("\(path)/\(name)", 0o700), "mkdir", "\(path)/\(name)")
    }

    func remove(_ name: String) { removeTree("\(path)/\(name)") }

    /// Removes the folder; harmless if it is gone.
    func remove() throws(SandboxError) {
        let guardian = try Guardian.shared.get()
        for path in [place, path].compactMap(\.self) {
            removeTree(path)
            if place != nil { try guardian.forget(path) }
        }
    }
}

/// Removes a file, a symbolic link or a folder with all that is in it; what is absent or cannot be removed is passed over.
func removeTree(_ path: String) {
    guard unlink(path) != 0, errno == EISDIR, let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
        let name = name(of: entry)
        if name != "." && name != ".." { removeTree("\(path)/\(name)") }
    }
    closedir(folder)
    rmdir(path)
}
