import ArgumentParser
import CephSandbox
import Foundation
import SystemPackage

/// Measures our daemon and the stock one in turn, each round on fresh clusters.
@main
struct MirrorBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror-benchmark",
        abstract: "Measures our rbd-mirror beside the stock one on identical fresh clusters and prints a Markdown table.")

    @Option(help: "Our daemon's executable.")
    var ours: String

    @Option(help: "Rounds; in each every daemon has a fresh pair of clusters.")
    var rounds = 3

    @Option(help: "Rows of the table, as in 1,3.")
    var rows = "1,2,2s,3,4,5,6,7"

    @Option(help: "Measurements of rows 3 and 7 in a round.")
    var repeats = 7

    @Option(help: "Depths of the bare copy loop.")
    var depths = "8,16,32"

    @Option(help: "A folder with another Ceph release, whose rbd-mirror is measured too.")
    var releaseChroot: String?

    @Option(help: "Which daemons: ours, stock, release.")
    var daemons = "ours,stock,release"

    @Option(help: "Seconds to wait, before each measurement, for other work on the machine to end.")
    var patience = 60

    func validate() throws {
        guard rounds > 0, repeats > 0, patience >= 0 else { throw ValidationError("--rounds and --repeats are 1 or more, --patience 0 or more") }
        _ = try wantedRows()
        _ = try wantedDepths()
        guard try !contenders().isEmpty else { throw ValidationError("--daemons names none that there is") }
        guard access(ours, X_OK) == 0 else { throw ValidationError("--ours \(ours): not an executable") }
    }

    func run() async throws {
        let contenders = try contenders()
        var samples: [Sample] = []
        var loops: [LoopSample] = []
        for round in 1...rounds {
            // Whoever goes first in one round goes last in the next.
            for contender in round.isMultiple(of: 2) ? contenders.reversed() : contenders {
                say("round \(round) of \(rounds): \(contender.name)")
                let result = try await Round(
                    contender: contender, rows: try wantedRows(), depths: try wantedDepths(), repeats: repeats,
                    patience: .seconds(patience)
                ).run()
                samples += result.samples
                loops += result.loops
            }
        }
        print(Table(samples: samples, loops: loops, contenders: contenders.map(\.name)).text)
    }

    private func wantedRows() throws -> [Row] {
        let names = rows.split(separator: ",").map(String.init)
        for name in names where !Row.work.map(\.rawValue).contains(name) {
            throw ValidationError("--rows \(rows): \(name) is none of \(Row.work.map(\.rawValue).joined(separator: ", "))")
        }
        return Row.work.filter { names.contains($0.rawValue) }
    }

    private func wantedDepths() throws -> [Int] {
        try depths.split(separator: ",").map {
            guard let depth = Int($0), depth > 0 else { throw ValidationError("--depths \(depths): \($0) is not a number of objects") }
            return depth
        }
    }

    private func contenders() throws -> [Contender] {
        try daemons.split(separator: ",").compactMap { name in
            switch name {
            case "ours": Contender(name: "ours", kind: .ours(ours))
            case "stock": Contender(name: "stock \(try Self.release(of: ""))", kind: .stock(.installed))
            case "release": try releaseChroot.map { Contender(name: "stock \(try Self.release(of: $0))", kind: .stock(.chroot(FilePath($0)))) }
            default: throw ValidationError("--daemons \(daemons): \(name) is none of ours, stock, release")
            }
        }
    }

    /// The version of the rbd-mirror below a folder, as in 16.2.15.
    private static func release(of root: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: root.isEmpty ? "/usr/bin/rbd-mirror" : "/usr/sbin/chroot")
        process.arguments = (root.isEmpty ? [] : [root, "/usr/bin/rbd-mirror"]) + ["--version"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let version = text.firstMatch(of: /ceph version ([0-9.]+)/) else { throw ValidationError("no version in \(text)") }
        return String(version.1)
    }
}
