import CephSandbox
import Glibc
import SystemPackage
import Testing

/// Needs a folder with another release's packages in it, as `Tests/newer-ceph` makes it.
@Suite(.enabled(if: getenv("CEPH_MIRRORING_NEWER") != nil)) struct ReleaseTests {
    private let other = SandboxBinaries.chroot(FilePath(getenv("CEPH_MIRRORING_NEWER").map { String(cString: $0) } ?? ""))

    @Test func releasesMirrorToEachOther() async throws {
        var configuration = SandboxPair.Configuration(SandboxConfiguration(fileSystem: "cephfs"))
        configuration.siteB.binaries = other
        let pair = try await SandboxPair.start(configuration)
        let folder = pair.siteB.folder.string
        do {
            #expect(try await pair.siteA.ceph("version") != pair.siteB.ceph("version"))
            // Their own stock daemon at site B, and one of site B's release at site A.
            let mirrors = [try await pair.siteB.startRBDMirror(), try await pair.siteA.startRBDMirror(binaries: other)]
            try await pair.siteA.rbd("create", "rbd/disk", "--size", "16M")
            try await pair.siteA.rbd("mirror", "image", "enable", "rbd/disk", "snapshot")
            try await waitUntil("the image is there", within: .seconds(90), every: .milliseconds(200)) {
                try await pair.siteB.rbd("ls", "rbd") == "disk\n"
            }
            let areRunning = mirrors.allSatisfy(\.isRunning)
            #expect(areRunning)
            // A client of this machine's release finds its way too.
            let name = try pair.siteB.publishedName()
            #expect(try await SandboxProcess.run("rbd", ["--cluster", name, "ls", "rbd"]).text == "disk\n")
        } catch {
            print("\(pair.siteA.logTails())\n\(pair.siteB.logTails())")
            try? await pair.stop()
            throw error
        }
        try await pair.stop()
        #expect(!exists(folder))
    }
}
