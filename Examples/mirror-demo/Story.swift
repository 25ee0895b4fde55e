import CephSandbox
import Foundation
import RBDImage

/// The steps of the demo, in order.
struct Story {
    static let mebibytes = 512

    let siteA: Site
    let siteB: Site
    let narrator: Narrator
    var ledger = Ledger()

    static func tell(on terminal: Terminal) async throws -> Ledger {
        let narrator = Narrator(terminal: terminal)
        terminal.line("""
            Two RBD images, one mirrored by snapshots and one by its journal, between two Ceph clusters on this machine, with our \
            rbd-mirror on both.

            """)
        let pair = try await narrator.step("two Ceph clusters that are peers") {
            // Each snapshot's version of an object counts with its full size.
            try await SandboxPair.start(.init(SandboxConfiguration(objectStore: .memory(bytes: 32 << 30))))
        }
        do {
            let ledger = try await tell(narrator, pair)
            try await pair.stop()
            return ledger
        } catch {
            let logs = [pair.siteA, pair.siteB].map { cluster in
                "== log of our rbd-mirror at \(cluster.name)\n\(tail(of: cluster.folder.appending("rbd-mirror.log").string))"
            }
            try? await pair.stop()
            throw DemoError("\(error)\n\(logs.joined(separator: "\n"))")
        }
    }

    private static func tell(_ narrator: Narrator, _ pair: SandboxPair) async throws -> Ledger {
        let data = try await narrator.step("an image of \(mebibytes) MiB at site-a") { () async throws -> FileSystemData in
            let data = try await FileSystemData.make(in: pair.siteA.folder, mebibytes: mebibytes)
            try await pair.siteA.rbd("import", "--no-progress", data.path.string, Site.spec)
            return data
        }
        narrator.remark(data.content)
        let sites = try await narrator.step("our rbd-mirror on both sites") {
            async let first = Site.start(pair.siteA)
            async let second = Site.start(pair.siteB)
            return try await (first, second)
        }
        var story = Story(siteA: sites.0, siteB: sites.1, narrator: narrator)
        try await story.firstCopy()
        for round in 1...3 { try await story.snapshotUnderLoad(round) }
        try await story.move(from: story.siteA, to: story.siteB, "failover to site-b")
        try await story.writeAndFollow(from: story.siteB, to: story.siteA, "writes at site-b")
        try await story.move(from: story.siteB, to: story.siteA, "failback to site-a")
        try await story.writeAndFollow(from: story.siteA, to: story.siteB, "writes at site-a again")
        try await story.followJournal()
        try await story.checkHealth()
        try await story.stop()
        return story.ledger
    }

    // MARK: Steps

    private mutating func firstCopy() async throws {
        ledger.add(try await follow(from: siteA, to: siteB, "first copy") { try await $0.mirrorImage("enable", "snapshot") })
        try await compare("the same bytes on both sites")
    }

    /// Takes a user snapshot and a mirror snapshot while the image is written to, and compares the user snapshot on both sites.
    private mutating func snapshotUnderLoad(_ round: Int) async throws {
        let source = siteA
        async let load: Void = source.write(mebibytes: 64)
        try await Task.sleep(for: .seconds(1))
        let name = "round-\(round)"
        try await source.cluster.rbd("snap", "create", "--no-progress", "\(Site.spec)@\(name)")
        ledger.add(try await follow(from: siteA, to: siteB, "snapshot \(round) under load") { try await $0.mirrorImage("snapshot") })
        try await load
        try await compare("the same bytes in user snapshot \(name)", snapshot: name)
    }

    private mutating func writeAndFollow(from source: Site, to replica: Site, _ title: String) async throws {
        try await narrator.step("32 MiB of random writes at \(source.name)") { try await source.write(mebibytes: 32) }
        ledger.add(try await follow(from: source, to: replica, title) { try await $0.mirrorImage("snapshot") })
        try await compare("the same bytes on both sites")
    }

    /// Moves the image's primary side in the orderly way: what no mirror snapshot has yet comes along.
    private mutating func move(from old: Site, to new: Site, _ title: String) async throws {
        let mebibytes = 16
        try await narrator.step("\(mebibytes) MiB of random writes at \(old.name)") { try await old.write(mebibytes: mebibytes) }
        let start = ContinuousClock.now
        try await narrator.step("\(title): demotion, until \(new.name) has all") {
            _ = try await transfer(from: old, to: new, title) { try await $0.mirrorImage("demote") }
        }
        try await narrator.step("\(title): promotion") { try await new.mirrorImage("promote") }
        ledger.add(.init(step: title, bytes: mebibytes << 20, seconds: start.duration(to: .now) / .seconds(1), lag: nil))
        try await compare("nothing was lost")
    }

    private func checkHealth() async throws {
        try await narrator.step("the stock rbd finds both sites healthy") {
            for site in [siteA, siteB] {
                try await waitUntil("`rbd mirror pool status` at \(site.name) is OK", every: .milliseconds(500)) {
                    try await site.stockHealth() == ["OK", "OK", "OK"]
                }
            }
        }
    }

    private func stop() async throws {
        try await narrator.step("our daemons end on SIGTERM") {
            for site in [siteA, siteB] {
                let exit = try await site.daemon.terminate(within: .seconds(10))
                guard exit.isSuccess else { throw DemoError("the daemon at \(site.name) ended with \(exit)") }
            }
        }
    }

    private func compare(_ title: String, snapshot: String? = nil) async throws {
        let sum = try await narrator.step(title) {
            async let first = siteA.checksum(ofSnapshot: snapshot)
            async let second = siteB.checksum(ofSnapshot: snapshot)
            let sums = try await (first, second)
            guard sums.0 == sums.1 else { throw DemoError("SHA-256 \(sums.0) at site-a, \(sums.1) at site-b") }
            return sums.0
        }
        narrator.remark("SHA-256 \(sum.prefix(16))...")
    }

    private static func tail(of file: String) -> String {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? "(none)"
        return text.split(separator: "\n").suffix(20).joined(separator: "\n")
    }
}
