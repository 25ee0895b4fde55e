import Foundation
import Testing

@testable import AdminSocket

@Suite struct SocketFileTests {
    private func server() -> AdminSocketServer { AdminSocketServer(version: sampleVersion) }

    @Test func modeIsAsAsked() throws {
        let folder = try ScratchFolder()
        for mode: UInt32 in [0o600, 0o660] {
            let server = server()
            try server.open(at: folder["a"], mode: mode)
            let found = try FileManager.default.attributesOfItem(atPath: folder["a"])[.posixPermissions] as? Int
            #expect(found == Int(mode))
        }
    }

    @Test func fileGoesWithItsServerEvenIfItNeverRan() throws {
        let folder = try ScratchFolder()
        do {
            let server = server()
            try server.open(at: folder["a"])
            #expect(FileManager.default.fileExists(atPath: folder["a"]))
            withExtendedLifetime(server) {}
        }
        #expect(!FileManager.default.fileExists(atPath: folder["a"]))
    }

    @Test func livingSocketIsRefused() throws {
        let folder = try ScratchFolder()
        let first = server()
        try first.open(at: folder["a"])
        let error = #expect(throws: AdminSocketError.self) { try server().open(at: folder["a"]) }
        #expect(error?.reason == .inUse)
        #expect(FileManager.default.fileExists(atPath: folder["a"]), "the refused one removes nothing")
        withExtendedLifetime(first) {}
    }

    @Test func deadSocketIsReplaced() async throws {
        let folder = try ScratchFolder()
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = folder["a"]
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(dead)
        #expect(FileManager.default.fileExists(atPath: path))
        let server = server()
        try server.open(at: path)
        #expect(throws: Never.self) { _ = try RawClient(path) }
        withExtendedLifetime(server) {}
    }

    @Test func otherFilesAreLeftAlone() throws {
        let folder = try ScratchFolder()
        try Data("precious".utf8).write(to: URL(filePath: folder["a"]))
        let error = #expect(throws: AdminSocketError.self) { try server().open(at: folder["a"]) }
        #expect(error?.reason == .notASocket)
        #expect(try String(contentsOfFile: folder["a"], encoding: .utf8) == "precious")
    }

    @Test func aSuccessorsSocketIsNotRemoved() throws {
        let folder = try ScratchFolder()
        let successor = server()
        do {
            let first = server()
            try first.open(at: folder["a"])
            unlink(folder["a"])
            try successor.open(at: folder["a"])
            withExtendedLifetime(first) {}
        }
        #expect(FileManager.default.fileExists(atPath: folder["a"]))
        withExtendedLifetime(successor) {}
    }

    @Test func unusablePaths() throws {
        let folder = try ScratchFolder()
        let long = folder[String(repeating: "x", count: 100)]
        for path in [long, ""] {
            let error = #expect(throws: AdminSocketError.self) { try server().open(at: path) }
            #expect(error?.reason == .pathTooLong)
        }
        let missing = #expect(throws: AdminSocketError.self) { try server().open(at: folder["no/a"]) }
        #expect(missing?.errno == ENOENT)
        #expect(missing.map { "\($0)" }?.contains("No such file") == true)
    }

    @Test func longestPathWorks() throws {
        let folder = try ScratchFolder()
        let name = String(repeating: "x", count: 107 - folder.path.utf8.count - 1)
        let server = server()
        try server.open(at: folder[name])
        #expect(folder[name].utf8.count == 107)
        withExtendedLifetime(server) {}
    }

    @Test func manyStartingAtOnceLeaveOneServing() async throws {
        let folder = try ScratchFolder()
        let path = folder["a"]
        let servers = await withTaskGroup(of: AdminSocketServer?.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let server = AdminSocketServer(version: sampleVersion)
                    do { try server.open(at: path) } catch { return nil }
                    return server
                }
            }
            return await group.reduce(into: []) { if let server = $1 { $0.append(server) } }
        }
        #expect(servers.count == 1)
        #expect(throws: Never.self) { _ = try RawClient(path) }
    }
}
