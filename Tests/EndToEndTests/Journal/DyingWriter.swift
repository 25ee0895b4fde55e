import CephSandbox
import JournalReplay
import TestSupport

/// Processes that write to an image and operate on it, and are killed while they do.
struct DyingWriter {
    let site: Site
    let image: String
    /// What was begun, and when it was ended.
    private(set) var record: [String] = []
    private var names = 0

    init(site: Site, image: String) { (self.site, self.image) = (site, image) }

    /// With as many writes under way as librbd lets through, something else is begun, and both are killed moments later.
    mutating func liveAndDie(_ random: inout SeededRandom) async throws {
        let before = try await site.withJournal(image) { try await $0.header().activeSet }
        let bench = try start([
            "bench", site.spec(image), "--io-type", "write", "--io-size", "\(512 << random.below(8))", "--io-threads", "64", "--io-total", "1G",
            "--io-pattern", "rand",
        ])
        let sets = UInt64(1 + random.below(4))
        try await waitUntil("\(image) is written to", within: .seconds(30), every: .milliseconds(10)) { [site, image] in
            try await site.withJournal(image) { try await $0.header().activeSet } >= before + sets
        }
        let command = try await command(&random)
        let operation = try start(command)
        // A command takes some tens of milliseconds to connect, and the lock's owner to do it some more.
        let moment = Duration.milliseconds(random.below(400))
        try await Task.sleep(for: moment)
        record.append("\(command.joined(separator: " ")), \(operation.isRunning ? "killed" : "over") after \(moment)")
        try await bench.kill()
        // Else it goes on by itself once the dead owner is missed.
        if random.oneIn(2) { try await operation.kill() } else { _ = try await operation.waitForExit(within: .seconds(60)) }
    }

    private func start(_ arguments: [String]) throws -> SandboxProcess {
        try SandboxProcess.start(
            "rbd", ["-c", site.cluster.configurationFile.string] + arguments, log: site.cluster.folder.appending("bench.log"))
    }

    private mutating func command(_ random: inout SeededRandom) async throws -> [String] {
        names += 1
        let snapshots = try await site.snapshots(image).filter { !$0.isTrash }.map(\.name)
        switch random.below(snapshots.isEmpty ? 3 : 5) {
        case 0: return ["resize", site.spec(image), "--size", "\(16 + random.below(32))M", "--allow-shrink", "--no-progress"]
        case 1, 2: return ["snap", "create", site.spec("\(image)@s\(names)"), "--no-progress"]
        case 3: return ["snap", "rm", site.spec("\(image)@\(snapshots[random.below(snapshots.count)])"), "--no-progress"]
        default:
            let old = snapshots[random.below(snapshots.count)]
            return ["snap", "rename", site.spec("\(image)@\(old)"), site.spec("\(image)@r\(names)")]
        }
    }
}
