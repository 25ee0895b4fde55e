import CephCore
import CephSandbox
import JournalReplay
import TestSupport
import Testing

extension EndToEnd {
    /// A journal that is damaged while it is replayed: the replica stays what the source was, and says what is wrong.
    @Suite struct JournalDamageTests {
        private static let image = "disk"

        enum Damage: CaseIterable { case overwritten, truncated, removed }

        @Test(arguments: Damage.allCases) func isNamed(_ damage: Damage) async throws {
            try await withScene("damage-\(damage)") { scene in
                var workload = SourceWorkload(SeededRandom.forRun("damage"), size: 16 << 20)
                try await scene.createJournaled(Self.image, mebibytes: 16, options: ["--object-size", "1M"])
                var daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.siteB.waitForStatus(Self.image, state: "up+replaying")
                try await scene.siteA.write(workload.churned(), to: Self.image)
                try await scene.waitForJournal(Self.image)
                let before = try await scene.siteB.checksum(Self.image)
                try await daemon.terminate()

                try await scene.siteA.write(workload.churned(), to: Self.image)
                let object = try await scene.damage(Self.image, damage)
                daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.siteB.waitForStatus(Self.image, "stopped by the damage") {
                    $0.state == "up+error" && $0.description.contains(object)
                }
                #expect(try await scene.siteB.checksum(Self.image) == before)
                try await daemon.terminate()
            }
        }
    }
}

extension Scene {
    /// Damages the journal right behind what the replica has; returns the object that shows it.
    fileprivate func damage(_ image: String, _ damage: EndToEnd.JournalDamageTests.Damage) async throws -> String {
        let site = try await siteB.withClient { try await $0.mirrorUUID() }
        return try await siteA.withJournal(image) { journal in
            let committed = try await journal.client(site).committed
            var next: JournalEntry?
            for try await entry in journal.entries(after: committed) {
                guard case .write(let write) = entry.event, write.data.count > 100 else { continue }
                next = entry
                break
            }
            guard let next else { throw ToolFailure(tool: "the journal", text: "it has nothing behind \(committed)") }
            let object = journal.dataObject(next.position.object)
            var operation = WriteOperation()
            switch damage {
            case .overwritten: operation.write([0xff, 0xff, 0xff, 0xff], at: next.offset + 40)
            case .truncated: operation.truncate(to: next.offset + 40)
            case .removed: operation.remove()
            }
            try await journal.dataPool.apply(operation, to: object)
            return object
        }
    }
}
