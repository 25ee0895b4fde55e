import CephSandbox
import Foundation
import Testing

extension RBDMirrorDaemonTests {
    /// What is wrong is said by name, at once or within the deadline, and with status 1.
    @Suite struct BadInputTests {
        @Test(arguments: [
            (["-f", "--nosuch-option", "1"], "unknown option '--nosuch-option'"),
            (["-f", "-x"], "unknown option '-x'"),
            (["-f", "stray"], "unexpected argument 'stray'"),
            (["-f", "--rbd-mirror-concurrent-image-syncs", "many"], "the value of '--rbd-mirror-concurrent-image-syncs' is not valid"),
            (["-f", "-n", "somebody"], "error parsing 'somebody'"),
            (["-f", "-c"], "Option -c requires an argument"),
        ])
        func commandLine(_ arguments: [String], _ sentence: String) async throws {
            let file = try await sharedPair().siteB.configurationFile.string
            let configured = arguments.last == "-c" ? arguments : ["-c", file] + arguments
            let output = try await runToEnd(configured)
            #expect(output.exit.status == 1)
            #expect(output.errorText.hasPrefix("rbd-mirror: \(sentence)"), "\(output.errorText)")
        }

        @Test(arguments: [(["-c", "/nonexistent/ceph.conf"], "/nonexistent/ceph.conf"), (["--cluster", "nosuch"], "/etc/ceph/nosuch.conf")])
        func missingConfiguration(_ arguments: [String], _ file: String) async throws {
            let output = try await runToEnd(["-f"] + arguments)
            #expect(output.exit.status == 1)
            #expect(output.errorText == "rbd-mirror: configuration file \(file): No such file or directory\n")
        }

        @Test func wrongKey() async throws {
            let (one, other) = (try await Operator("wrong.one"), try await Operator("wrong.other"))
            let keyring = one.file("wrong")
            try "[\(one.user)]\n\tkey = \(other.key)\n".write(toFile: keyring, atomically: true, encoding: .utf8)
            let output = try await runToEnd([
                "-c", one.configurationFile, "-n", one.user, "-k", keyring, "-f", "--debug-rbd-mirror", "20",
                "--log-file", one.file("log"), "--admin-socket", one.socket,
            ])
            #expect(output.exit.status == 1)
            #expect(output.errorText.contains("\(one.user) at \(one.configurationFile): "), "\(output.errorText)")
            for text in [output.errorText, output.text, one.text("log")] {
                #expect(try !text.contains(one.key) && !text.contains(other.key))
            }
        }

        @Test func unknownUser() async throws {
            let operates = try await Operator("known")
            let output = try await runToEnd(["-c", operates.configurationFile, "-n", "client.nobody", "-d"])
            #expect(output.exit.status == 1)
            #expect(output.errorText.contains("client.nobody at \(operates.configurationFile): "), "\(output.errorText)")
        }

        @Test func silentMonitorEndsItWithinTheDeadline() async throws {
            let (operates, port) = (try await Operator("silent"), try SilentPort())
            let began = ContinuousClock.now
            let output = try await runToEnd([
                "-c", "/dev/null", "-m", port.address, "-n", operates.user, "-k", operates.keyring.string, "-d",
                "--client-mount-timeout", "3", "--admin-socket", operates.socket,
            ])
            #expect(ContinuousClock.now - began < .seconds(8))
            #expect(output.exit.status == 1, "\(output.exit)")
            #expect(output.errorText.contains("\(operates.user) at /dev/null: no answer within the deadline"), "\(output.errorText)")
            #expect(!FileManager.default.fileExists(atPath: operates.socket))
        }

        /// The command that starts a daemon in the background tells what went wrong with it.
        @Test func failedStartInTheBackground() async throws {
            let (operates, port) = (try await Operator("background.silent"), try SilentPort())
            let output = try await runToEnd([
                "-c", "/dev/null", "-m", port.address, "-n", operates.user, "-k", operates.keyring.string,
                "--client-mount-timeout", "2", "--admin-socket", operates.socket, "--log-file", operates.file("log"),
                "--pid-file", operates.file("pid"),
            ])
            #expect(output.exit.status == 1)
            #expect(output.errorText.contains("\(operates.user) at /dev/null: no answer within the deadline"), "\(output.errorText)")
            #expect(!FileManager.default.fileExists(atPath: operates.file("pid")))
        }

        @Test(arguments: [true, false]) func terminatesWhileConnecting(_ isSilent: Bool) async throws {
            let (operates, port) = (try await Operator("connecting"), try SilentPort())
            let daemon = try operates.start([
                "-c", "/dev/null", "-m", isSilent ? port.address : "127.0.0.1:1", "-n", operates.user,
                "-k", operates.keyring.string, "-d", "--admin-socket", operates.socket,
            ])
            try await waitUntil("the socket answers") {
                (try? await SandboxAdminSocket(.init(operates.socket)).ask("rbd mirror status")) != nil
            }
            try await daemon.endsInTime()
            #expect(!FileManager.default.fileExists(atPath: operates.socket))
        }
    }
}
