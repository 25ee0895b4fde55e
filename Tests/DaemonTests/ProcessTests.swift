import CephSandbox
import Foundation
import Testing

extension RBDMirrorDaemonTests {
    /// In the background, with an image to serve.
    @Suite struct ProcessTests {
        @Test func backgroundPIDFileLogAndSignals() async throws {
            let pair = try await sharedPair()
            let operates = try await Operator("background")
            try await pair.siteA.rbd("create", "rbd/logged", "--size", "4M")
            try await pair.siteA.rbd("mirror", "image", "enable", "rbd/logged", "snapshot")
            let start = try await runToEnd([
                "-c", operates.configurationFile, "-i", operates.id, "--pid-file", operates.file("pid"), "--log-json",
                "--log-file", operates.file("log"), "--admin-socket", operates.socket, "--debug-rbd-mirror", "20",
            ])
            #expect(start.exit.isSuccess, "\(start.errorText)")
            let pid = try #require(Int32(operates.text("pid").trimmingCharacters(in: .newlines)))
            defer { kill(pid, SIGKILL) }
            #expect(operates.text("log").contains("serving"), "the start returns when the cluster has answered")

            try await waitUntil("the image is logged", within: .seconds(60)) { operates.text("log").contains(#""logged""#) }
            var facts = 0
            for line in operates.lines("log") {
                let fact = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
                for key in ["time", "level", "label", "message"] { #expect(fact[key] is String, "\(line)") }
                let metadata = fact["metadata"] as? [String: Any]
                if metadata?["rbd.image"] as? String == "logged" {
                    #expect(metadata?["ceph.pool"] as? String == "rbd", "\(line)")
                    facts += 1
                }
            }
            #expect(facts > 0)

            try FileManager.default.moveItem(atPath: operates.file("log"), toPath: operates.file("log.1"))
            #expect(kill(pid, SIGHUP) == 0)
            try await waitUntil("the log is opened anew") { FileManager.default.fileExists(atPath: operates.file("log")) }
            #expect(kill(pid, SIGTERM) == 0)
            try await waitUntil("the daemon ends", within: .seconds(10)) { kill(pid, 0) != 0 }
            #expect(operates.lines("log").last?.contains(#""message":"stopped""#) == true, "\(operates.text("log"))")
            for kind in ["pid", "asok"] { #expect(!FileManager.default.fileExists(atPath: operates.file(kind))) }
            #expect(try !(operates.text("log") + operates.text("log.1")).contains(operates.key))
            try await pair.siteA.rbd("mirror", "image", "disable", "rbd/logged")
            try await pair.siteA.rbd("rm", "rbd/logged")
        }
    }
}
