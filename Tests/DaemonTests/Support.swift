import CephSandbox
import Foundation
import SystemPackage
import Testing

/// Our `rbd-mirror` as an operator meets it: its command line, its files, its admin socket, its end.
///
/// All tests share two clusters that mirror to each other; the daemon is started on `site-b`.
@Suite(.serialized) struct RBDMirrorDaemonTests {}

/// Maps change at once, so that a test does not wait for a monitor's clock.
private let configuration = SandboxPair.Configuration(
    SandboxConfiguration(managerModules: [], options: ["paxos_propose_interval": "0.05"]), pools: ["rbd"])

func sharedPair() async throws -> SandboxPair { try await SandboxPair.shared(configuration) }

/// A user of the daemon's kind, and the names of its files.
struct Operator: Sendable {
    let cluster: SandboxCluster
    let id: String
    let keyring: FilePath

    /// Makes a user of its own for a test, on the cluster that is replicated to.
    init(_ id: String) async throws {
        cluster = try await sharedPair().siteB
        self.id = id
        keyring = try await cluster.createUser("client.\(id)", ["mon": "profile rbd-mirror", "osd": "profile rbd"])
    }

    var user: String { "client.\(id)" }
    var configurationFile: String { cluster.configurationFile.string }
    var socket: String { file("asok") }
    func file(_ kind: String) -> String { cluster.folder.appending("\(id).\(kind)").string }
    func text(_ kind: String) -> String { (try? String(contentsOfFile: file(kind), encoding: .utf8)) ?? "" }
    func lines(_ kind: String) -> [String] { text(kind).split(separator: "\n").map(String.init) }

    /// The secret that must not be seen anywhere.
    var key: String {
        get throws {
            let words = try String(contentsOfFile: keyring.string, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            return String(try #require(words.last))
        }
    }

    /// A configuration file that says where the cluster is, and more if wished, but not where keys are.
    func writeConfiguration(_ more: String = "") throws -> String {
        try "[global]\nmon_host = \(cluster.monitorHosts)\n\(more)\n".write(toFile: file("conf"), atomically: true, encoding: .utf8)
        return file("conf")
    }

    /// Starts the daemon in the foreground; what it writes to its terminal goes to `out`.
    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> SandboxProcess {
        try SandboxProcess.start(
            SandboxProcess.sibling("rbd-mirror").string, arguments, environment: environment, log: FilePath(file("out")))
    }

    /// Asks the daemon with the tool that operators use.
    func ask(_ words: String...) async throws -> Any {
        let output = try await SandboxProcess.run("ceph", ["--admin-daemon", socket] + words)
        guard output.exit.isSuccess, !output.text.hasPrefix("ERROR") else {
            throw ToolFailure(description: "\(words): \(output.text)\(output.errorText)")
        }
        guard !output.text.allSatisfy(\.isWhitespace) else { return "" }
        return try JSONSerialization.jsonObject(with: Data(output.text.utf8), options: .fragmentsAllowed)
    }
}

struct ToolFailure: Error, CustomStringConvertible { let description: String }

/// Runs the daemon to its end.
func runToEnd(
    _ arguments: [String], environment: [String: String] = [:], timeout: Duration = .seconds(30)
) async throws -> SandboxOutput {
    try await SandboxProcess.run(
        SandboxProcess.sibling("rbd-mirror").string, arguments, environment: environment, timeout: timeout)
}

extension SandboxProcess {
    /// Expects an end in good order within the time the daemon promises.
    func endsInTime() async throws {
        let exit = try await terminate(within: .seconds(10))
        #expect(exit.isSuccess, "\(exit)\n\(logTail())")
    }

    /// Waits until a line of the log holds all of the words.
    func waitForLine(_ words: String..., within limit: Duration = .seconds(30)) async throws {
        try await waitUntil("a line with \(words)\n\(logTail())", within: limit) {
            guard isRunning else { throw ToolFailure(description: "\(exit.map { "\($0)" } ?? "")\n\(logTail())") }
            let lines = ((try? String(contentsOfFile: logFile.string, encoding: .utf8)) ?? "").split(separator: "\n")
            return lines.contains { line in words.allSatisfy { line.contains($0) } }
        }
    }
}

/// A port that takes connections and never answers, as a frozen monitor does.
final class SilentPort: Sendable {
    let address: String
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { [descriptor] in
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound)
        self.address = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit { close(descriptor) }
}
