import Foundation
import ServiceLifecycle
import Logging
import Testing

@testable import AdminSocket

/// The installed `ceph` command as the judge.
@Suite struct CephToolTests {
    struct Outcome: Sendable { let status: Int32, output: String, errors: String }

    private func ceph(_ arguments: [String], socket: String, format: String? = nil) async throws -> Outcome {
        try await onThread {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["ceph", "--admin-daemon", socket] + (format.map { ["-f", $0] } ?? []) + arguments
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Outcome(status: process.terminationStatus, output: text, errors: complaints)
        }
    }

    private var commands: [AdminCommand] {
        let set = [AdminParameter("var"), AdminParameter("val", isRepeated: true)]
        return [
            AdminCommand("config get", parameters: [AdminParameter("var")], help: "get") {
                .json(.object([.init($0.string("var"), "1")]))
            },
            AdminCommand("config set", parameters: set, help: "set") {
                .json(["success": .string("\($0.string("var")) = \($0.strings("val"))")])
            },
            AdminCommand("perf dump", parameters: [AdminParameter("logger", isRequired: false)], help: "dump") {
                .text("logger '\($0.string("logger"))'")
            },
            AdminCommand("rbd mirror status p/img", help: "status") { _ in .json(["name": "p/img"]) },
            AdminCommand("rbd mirror status p dma", help: "status") { _ in .json(["pool": "p"]) },
            AdminCommand("rbd mirror stop", help: "stop") { _ in .done },
            AdminCommand("fail", help: "fail") { _ in .failure(2, "no such thing") },
        ]
    }

    @Test func helpAndVersion() async throws {
        try await withServer(commands: commands) { _, path in
            let help = try await ceph(["help"], socket: path)
            #expect(help.status == 0)
            #expect(help.output.contains("    \"config get\": \"get\","))
            #expect(help.output.contains("\"get_command_descriptions\": \"list available commands\""))
            #expect(!help.output.contains("\"0\""))
            try await #expect(ceph(["version"], socket: path, format: "json").output.hasPrefix(#"{"version":"16.2.15","release":"pacific","release_type":"stable"}"#))
            try await #expect(ceph(["git_version"], socket: path).output.contains(#""git_version": "618f44089""#))
        }
    }

    @Test func argumentsArrive() async throws {
        try await withServer(commands: commands) { _, path in
            try await #expect(ceph(["config", "get", "debug_ms"], socket: path, format: "json").output.hasPrefix(#"{"debug_ms":"1"}"#))
            let set = try await ceph(["config", "set", "debug_ms", "5", "6"], socket: path, format: "json")
            #expect(set.output.hasPrefix(#"{"success":"debug_ms = [\"5\", \"6\"]"}"#))
            try await #expect(ceph(["perf", "dump"], socket: path).output.hasPrefix("logger ''"))
            try await #expect(ceph(["perf", "dump", "x"], socket: path).output.hasPrefix("logger 'x'"))
            try await #expect(ceph(["rbd", "mirror", "status", "p/img"], socket: path, format: "json").output.hasPrefix(#"{"name":"p/img"}"#))
            try await #expect(ceph(["rbd", "mirror", "status", "p", "dma"], socket: path, format: "json").output.hasPrefix(#"{"pool":"p"}"#))
            let stop = try await ceph(["rbd", "mirror", "stop"], socket: path)
            #expect(stop.status == 0)
            #expect(stop.output.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty)
        }
    }

    @Test func whatTheToolRefusesAndWhatTheServerRefuses() async throws {
        try await withServer(commands: commands) { server, path in
            let unknown = try await ceph(["rbd", "mirror", "status", "p/other"], socket: path)
            #expect(unknown.status == 22)
            #expect(unknown.errors.contains("invalid command"))
            try await #expect(ceph(["config", "get"], socket: path).status == 22)
            try await #expect(ceph(["fail"], socket: path).output.hasPrefix("ERROR: (2) No such file or directory\nno such thing\n"))
            server.unregister(["rbd mirror status p/img"])
            try await #expect(ceph(["rbd", "mirror", "status", "p/img"], socket: path).status == 22)
        }
    }

    @Test func gracefulShutdownEndsTheService() async throws {
        let folder = try ScratchFolder()
        let server = AdminSocketServer(version: sampleVersion)
        try server.open(at: folder["a"])
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: .init(label: "test")))
        let running = Task { try await group.run() }
        try await #expect(ceph(["version"], socket: folder["a"]).status == 0)
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(!FileManager.default.fileExists(atPath: folder["a"]))
        try await #expect(ceph(["version"], socket: folder["a"]).status != 0)
    }
}
