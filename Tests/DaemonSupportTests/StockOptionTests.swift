import Foundation
import Testing

@testable import DaemonSupport

/// The installed rbd-mirror as the judge of how a command line is understood.
@Suite struct StockOptionTests {
    /// What the stock daemon makes of arguments: cluster and user, as its own expansion of them.
    private func stock(_ arguments: [String], _ environment: [String: String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let question = ["--show-config-value", "log_file", "--log-file", "$cluster $name $id"]
        process.arguments = ["rbd-mirror"] + question + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/root"].merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.trimmingCharacters(in: .newlines)
    }

    @Test func clusterAndNameAreUnderstoodAlike() async throws {
        let folder = try ScratchFolder()
        for name in ["site-x.conf", "ceph.conf", "odd.cnf"] {
            try Data("[global]\nmon host = 127.0.0.1:1\n".utf8).write(to: URL(filePath: folder[name]))
        }
        let cases: [([String], [String: String])] = [
            (["-c", folder["site-x.conf"]], [:]), (["-c", folder["ceph.conf"]], [:]), (["-c", folder["odd.cnf"]], [:]),
            (["--conf=" + folder["site-x.conf"], "--id", "a"], [:]),
            (["--conf", folder["site-x.conf"], "--cluster", "y"], [:]),
            (["-c", "/nonexistent.conf," + folder["site-x.conf"]], [:]),
            (["-c", folder["site-x.conf"], "--user=b"], [:]), (["-c", folder["site-x.conf"], "-n", "client.c.d"], [:]),
            (["-c", folder["site-x.conf"], "--name=mds.x", "--id", "z"], [:]),
            (["-c", folder["site-x.conf"], "--id", "z", "--name", "osd.1"], [:]),
            (["-c", folder["site-x.conf"]], ["CEPH_ARGS": "--id env --rbd-cache"]),
            (["-c", folder["site-x.conf"], "--id", "argv"], ["CEPH_ARGS": "--id env"]),
            (["--id", "e"], ["CEPH_CONF": folder["site-x.conf"]]),
            (["--cluster", "q", "--id", "e"], ["CEPH_CONF": folder["site-x.conf"]]),
            (["--id", "e"], ["CEPH_ARGS": "-c " + folder["site-x.conf"]]),
        ]
        for (arguments, environment) in cases {
            let ours = try DaemonOptions(arguments: ["rbd-mirror"] + arguments, environment: environment)
            #expect(try stock(arguments, environment) == "\(ours.cluster) \(ours.name) \(ours.id)", "\(arguments) \(environment)")
        }
    }

    @Test func valuesAreUnderstoodAlike() async throws {
        let folder = try ScratchFolder()
        try Data("[global]\nmon host = 127.0.0.1:1\n".utf8).write(to: URL(filePath: folder["c.conf"]))
        let cases: [(option: String, arguments: [String])] = [
            ("rbd_cache", ["--rbd-cache"]), ("rbd_cache", ["--no-rbd-cache"]), ("rbd_cache", ["--rbd_cache", "false"]),
            ("rbd_cache", ["--rbd-cache", "--no-rbd-cache"]), ("mon_host", ["-m", "1.2.3.4"]), ("keyring", ["-k", "/k"]),
            ("keyring", ["--keyring=/k"]), ("daemonize", ["-f"]), ("daemonize", ["--foreground"]), ("daemonize", ["-d"]),
            ("log_to_stderr", ["-d"]), ("err_to_stderr", ["-d"]), ("log_file", ["--log-file", "/x", "-d"]),
            ("pid_file", ["--pid-file=/p"]), ("setuser", ["--setuser", "ceph"]), ("log_to_stderr", ["--log-to-stderr"]),
            ("debug_rbd_mirror", ["--debug-rbd-mirror=7/9"]), ("admin_socket", ["--admin_socket", "/a"]),
        ]
        for (option, arguments) in cases {
            let all = ["-c", folder["c.conf"]] + arguments
            let ours = try DaemonOptions(arguments: ["rbd-mirror"] + all, environment: [:]).override(option)
            #expect(try show(option, all) == ours, "\(arguments)")
        }
    }

    private func show(_ option: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["rbd-mirror", "--show-config-value", option] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.trimmingCharacters(in: .newlines)
    }
}
