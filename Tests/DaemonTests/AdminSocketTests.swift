import CephSandbox
import Foundation
import Testing

extension RBDMirrorDaemonTests {
    /// Everything an operator asks with `ceph --admin-daemon`.
    @Suite struct AdminSocketTests {
        typealias Document = [String: Any]

        private func started(_ id: String) async throws -> (Operator, SandboxProcess) {
            let operates = try await Operator(id)
            let daemon = try operates.start([
                "-c", operates.configurationFile, "-i", operates.id, "-d", "--debug-rbd-mirror", "5",
                "--admin-socket", operates.socket,
            ])
            try await daemon.waitForLine("serving")
            return (operates, daemon)
        }

        private func pools(_ operates: Operator) async throws -> [Document] {
            let status = try #require(try await operates.ask("rbd", "mirror", "status") as? Document)
            return try #require(status["pool_replayers"] as? [Document])
        }

        @Test func configuration() async throws {
            let cluster = try await sharedPair().siteB
            try await cluster.ceph("config", "set", "client", "rbd_mirror_concurrent_image_syncs", "3")
            let (operates, daemon) = try await started("configured")
            let stock = try await cluster.startRBDMirror("reference")
            let socket = try #require(stock.adminSocket)
            let answer = try await socket.ask("config show")
            let reference = try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? Document)
            try await stock.stop()

            var shown = try #require(try await operates.ask("config", "show") as? [String: String])
            #expect(Set(shown.keys) == Set(reference.keys))
            #expect(shown["rbd_mirror_concurrent_image_syncs"] == "3", "set on the monitors")
            #expect(shown["admin_socket"] == operates.socket)
            #expect(shown["debug_rbd_mirror"] == "5/5")
            #expect(shown["name"] == operates.user)
            #expect(try !shown.values.contains(operates.key))

            #expect(try await operates.ask("config", "set", "debug_rbd_mirror", "20") as? [String: String] == ["success": ""])
            #expect(try await operates.ask("config", "get", "debug_rbd_mirror") as? [String: String] == ["debug_rbd_mirror": "20/20"])
            shown = try #require(try await operates.ask("config", "show") as? [String: String])
            #expect(shown["debug_rbd_mirror"] == "20/20")
            await #expect(throws: ToolFailure.self) { try await operates.ask("config", "get", "nosuch") }

            try await waitUntil("the limit of the monitors holds") {
                let throttle = try await pools(operates).first?["sync_throttler"] as? [String: Int]
                return throttle?["max_parallel_requests"] == 3
            }
            try await daemon.endsInTime()
            try await cluster.ceph("config", "rm", "client", "rbd_mirror_concurrent_image_syncs")
            // The folders of `config show` are gone.
            let left = try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path)
            #expect(!left.contains { $0.hasPrefix("rbd-mirror-\(daemon.processID)-") })
        }

        @Test func commandsForPoolsAndImages() async throws {
            let pair = try await sharedPair()
            try await pair.siteA.rbd("create", "rbd/asked", "--size", "4M")
            try await pair.siteA.rbd("mirror", "image", "enable", "rbd/asked", "snapshot")
            let (operates, daemon) = try await started("asked")
            let state = { (name: String) async throws -> String? in
                let images = try await pools(operates).first?["image_replayers"] as? [[String: String]]
                return images?.first { $0["name"] == name }?["state"]
            }
            try await waitUntil("the image is served", within: .seconds(60)) { try await state("rbd/asked") == "Replaying" }

            let help = try #require(try await operates.ask("help") as? [String: String])
            for target in ["", " rbd site-a", " rbd/asked"] {
                for verb in ["status", "start", "stop", "restart", "flush"] {
                    #expect(help["rbd mirror \(verb)\(target)"] != nil, "\(verb)\(target)")
                }
            }
            let version = try #require(try await operates.ask("version") as? [String: String])
            #expect(version["version"]?.contains("librados") == true)

            let pool = try #require(try await operates.ask("rbd", "mirror", "status", "rbd", "site-a") as? Document)
            #expect(pool["pool"] as? String == "rbd")
            let image = try #require(try await operates.ask("rbd", "mirror", "status", "rbd/asked") as? [String: String])
            #expect(image["name"] == "rbd/asked")
            for target in [[], ["rbd", "site-a"], ["rbd/asked"]] {
                try await act("stop", target, operates)
                try await waitUntil("stopped by \(target)") { try await state("rbd/asked") == "Stopped" }
                try await act("start", target, operates)
                try await waitUntil("started by \(target)") { try await state("rbd/asked") == "Replaying" }
                try await act("restart", target, operates)
                try await waitUntil("restarted by \(target)") { try await state("rbd/asked") == "Replaying" }
                try await act("flush", target, operates)
            }
            await #expect(throws: (any Error).self) { try await operates.ask("rbd", "mirror", "stop", "rbd/nosuch") }
            try await daemon.endsInTime()
            try await pair.siteA.rbd("mirror", "image", "disable", "rbd/asked")
            try await pair.siteA.rbd("rm", "rbd/asked")
        }

        private func act(_ verb: String, _ target: [String], _ operates: Operator) async throws {
            let output = try await SandboxProcess.run("ceph", ["--admin-daemon", operates.socket, "rbd", "mirror", verb] + target)
            #expect(output.exit.isSuccess && output.text.allSatisfy(\.isWhitespace), "\(verb) \(target): \(output.text)\(output.errorText)")
        }

        @Test func leaderShowsAllInstances() async throws {
            let (operates, daemon) = try await started("leads")
            let own = { try await pools(operates).first?["instance_id"] as? String }
            let instances = { try await pools(operates).first?["instances"] as? [String] }
            try await waitUntil("it leads") { try await instances() == [own() ?? "-"] }
            let stock = try await operates.cluster.startRBDMirror("follows")
            try await waitUntil("stock's daemon is listed too", within: .seconds(60)) { try await instances()?.count == 2 }
            let leader = try await own()
            try await waitUntil("stock sees ours as the leader", within: .seconds(60)) {
                guard let answer = try? await stock.adminSocket?.ask("rbd mirror status") else { return false }
                return answer.contains(#""leader_instance_id":"\#(leader ?? "-")""#)
            }
            try await stock.stop()
            try await daemon.endsInTime()
        }
    }
}
