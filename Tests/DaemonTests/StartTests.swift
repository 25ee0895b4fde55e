import CephSandbox
import Foundation
import Testing

extension RBDMirrorDaemonTests {
    /// Every way to tell the daemon where its cluster is and who it is.
    @Suite struct StartTests {
        struct Way: CustomTestStringConvertible, Sendable {
            let testDescription: String
            let invocation: @Sendable (Operator) throws -> (arguments: [String], environment: [String: String])

            init(_ name: String, _ invocation: @escaping @Sendable (Operator) throws -> ([String], [String: String])) {
                testDescription = name
                self.invocation = invocation
            }
        }

        static let ways = [
            Way("path and name") { (["-c", $0.configurationFile, "-n", $0.user], [:]) },
            Way("long options with =") { (["--conf=\($0.configurationFile)", "--id=\($0.id)"], [:]) },
            Way("cluster name") { (["--cluster", try $0.cluster.publishedName(), "-i", $0.id], [:]) },
            Way("CEPH_CONF") { (["--name", $0.user], ["CEPH_CONF": $0.configurationFile]) },
            Way("CEPH_ARGS") { ([], ["CEPH_ARGS": "-c \($0.configurationFile) --id \($0.id)"]) },
            Way("keyring") { (["-c", try $0.writeConfiguration(), "-i", $0.id, "-k", $0.keyring.string], [:]) },
            Way("monitors") { (["-c", "/dev/null", "-m", $0.cluster.monitorHosts, "-i", $0.id, "--keyring=\($0.keyring)"], [:]) },
        ]

        @Test(arguments: ways.indices) func findsItsCluster(_ index: Int) async throws {
            let operates = try await Operator("start.\(index)")
            let (arguments, environment) = try Self.ways[index].invocation(operates)
            let options = ["-d", "--debug-rbd-mirror", "5", "--admin_socket=\(operates.socket)"]
            let daemon = try operates.start(arguments + options, environment: environment)
            try await daemon.waitForLine("serving", operates.cluster.fsid)
            #expect(try await operates.ask("config", "get", "name") as? [String: String] == ["name": operates.user])
            try await daemon.endsInTime()
            #expect(!FileManager.default.fileExists(atPath: operates.socket))
            #expect(try !operates.text("out").contains(operates.key))
        }

        /// The line that Debian's service unit starts, as it stands there.
        @Test func serviceUnit() async throws {
            let operates = try await Operator("unit")
            let unit = try String(contentsOfFile: "/lib/systemd/system/ceph-rbd-mirror@.service", encoding: .utf8)
            let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=/usr/bin/rbd-mirror ") })
            let account = try #require(getpwnam("ceph"))
            let (user, group) = (account.pointee.pw_uid, account.pointee.pw_gid)

            // Where that user can read and write.
            let folder = "/tmp/rbdm-unit-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            #expect(chown(folder, user, group) == 0)
            let socket = "\(folder)/asok"
            let keyring = "\(folder)/keyring"
            try FileManager.default.copyItem(atPath: operates.keyring.string, toPath: keyring)
            #expect(chown(keyring, user, group) == 0)
            let file = try operates.writeConfiguration(
                "keyring = \(keyring)\nlog_file = \(folder)/log\nadmin_socket = \(socket)\ndebug_rbd_mirror = 5")
            let cluster = "unit-\(UUID().uuidString.prefix(8).lowercased())"
            try FileManager.default.copyItem(atPath: file, toPath: "/etc/ceph/\(cluster).conf")
            defer { try? FileManager.default.removeItem(atPath: "/etc/ceph/\(cluster).conf") }

            let words = line.split(separator: " ").dropFirst().map {
                String($0).replacing("${CLUSTER}", with: cluster).replacing("%i", with: operates.id)
            }
            let daemon = try operates.start(words)
            let log = { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }
            try await waitUntil("the unit's daemon serves") {
                guard daemon.isRunning else { throw ToolFailure(description: daemon.logTail()) }
                return log().contains("serving ceph.fsid=\(operates.cluster.fsid)")
            }
            let status = try String(contentsOfFile: "/proc/\(daemon.processID)/status", encoding: .utf8)
            #expect(status.contains("Uid:\t\(user)\t\(user)\t\(user)\t\(user)"))
            #expect(status.contains("Gid:\t\(group)\t\(group)\t\(group)\t\(group)"))
            try await SandboxAdminSocket(.init(socket)).ask("rbd mirror status")
            try await SandboxAdminSocket(.init(socket)).ask("config show")
            try await daemon.endsInTime()
            #expect(log().hasSuffix("stopped\n"), "\(log())")
        }
    }
}
