internal import Glibc
public import SystemPackage

extension SandboxProcess {
    /// The path of an executable that lies beside this process's own.
    ///
    /// In a test of a Swift package this is where the package's executables are, provided the test target depends on them.
    ///
    ///     try SandboxProcess.start(SandboxProcess.sibling("my-daemon").string, log: "/tmp/my-daemon.log")
    public static func sibling(_ name: String) throws(SandboxError) -> FilePath {
        guard let own = realpath("/proc/self/exe", nil) else { throw .systemCall("realpath", "/proc/self/exe") }
        defer { free(own) }
        return FilePath(String(cString: own)).removingLastComponent().appending(name)
    }
}
