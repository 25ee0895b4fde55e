internal import Glibc
public import SystemPackage

/// Says which Ceph release's programs are run: an open set.
public struct SandboxBinaries: Hashable, Sendable {
    /// The root folder as a prefix of absolute paths: empty for `/`.
    let root: String

    /// The Ceph packages installed on this machine.
    public static let installed = SandboxBinaries(root: "")

    /// The Ceph packages installed in a folder with a whole system in it, run by `chroot` (which needs root).
    ///
    /// `/proc`, `/dev` and `/sys` must be mounted in it; `debootstrap` makes such a folder.
    public static func chroot(_ folder: FilePath) -> SandboxBinaries {
        var root = folder.string
        while root.hasSuffix("/") { root.removeLast() }
        return SandboxBinaries(root: root)
    }

    /// Throws one error that names every missing program and its package.
    func require(_ names: [String]) throws(SandboxError) {
        let missing = names.filter { Executable.find($0, root: root) == nil }
        guard missing.isEmpty else { throw Executable.missing(missing, root: root) }
        guard !root.isEmpty, access("\(root)/proc/self", F_OK) != 0 || access("\(root)/dev/urandom", F_OK) != 0 else { return }
        throw SandboxError(
            .invalidRequest, "/proc or /dev is not mounted in \(root).",
            advice: "mount --bind /proc \(root)/proc; mount --bind /dev \(root)/dev; mount --bind /sys \(root)/sys")
    }

    /// The executable and arguments that run a program.
    func command(_ name: String, _ arguments: [String]) throws(SandboxError) -> (executable: String, arguments: [String]) {
        guard let path = Executable.find(name, root: root) else { throw Executable.missing([name], root: root) }
        guard !root.isEmpty else { return (path, arguments) }
        return (try Executable.locate("chroot"), [root, path] + arguments)
    }
}
