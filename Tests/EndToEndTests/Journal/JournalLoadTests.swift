import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// An image with a random life, followed by a daemon that is killed again and again.
    @Suite struct JournalLoadTests {
        @Test func underLoad() async throws {
            var random = SeededRandom.forRun("journal-load")
            for round in 0..<Knobs.count(1) {
                let seed = SeededRandom(seed: random.next())
                let passed = try await withScene("load-\(round)") { scene in
                    var load = JournalLoad(scene, seed)
                    try await load.run(kind: JournalLoad.kinds[(Knobs.firstHistory + round) % JournalLoad.kinds.count])
                }
                guard passed else { break }
            }
        }

        /// Whoever writes to the primary dies with many writes under way and in the middle of an operation, and so does the daemon: what
        /// was acknowledged is on both sides.
        @Test func theWriterDies() async throws {
            try await withScene("writer-dies") { scene in
                var random = SeededRandom.forRun("writer-dies")
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                try await scene.createJournaled("disk", mebibytes: 32, options: ["--object-size", "1M", "--journal-object-size", "256K"])
                var writer = DyingWriter(site: siteA, image: "disk")
                var daemon = try await scene.startDaemon(on: siteB)
                try await siteB.waitForStatus("disk", state: "up+replaying")
                for round in 0..<Knobs.count(4) {
                    try await writer.liveAndDie(&random)
                    if round.isMultiple(of: 2) {
                        try await daemon.kill()
                        daemon = try await scene.startDaemon(on: siteB)
                    }
                    // Whoever opens it next applies what the dead one had written down.
                    try await scene.waitForJournal("disk")
                    do { try await ImageJudge(image: "disk").compare(siteA, siteB) } catch {
                        throw ToolFailure(tool: "writer-dies", text: "\(error)\n\(writer.record.joined(separator: "\n"))")
                    }
                }
                print(writer.record.joined(separator: "\n"))
                try await daemon.terminate()
            }
        }
    }
}
