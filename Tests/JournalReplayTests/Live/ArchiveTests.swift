import CephCore
import CephSandbox
import Foundation
import JournalReplay
import TestSupport
import Testing

/// An image is brought to moments that an archive has, judged by copies that were made then.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ArchiveTests {
    @Test func moments() async throws {
        var random = SeededRandom.forRun("archive")
        let image = try await JournaledImage("archived", objectSize: 64 << 10)
        let archive = JournalArchive(at: try await Live.sandbox().folder.appending("archive-\(image.name)").string)
        var settings = JournalArchiving()
        (settings.commitAge, settings.segmentSize) = (.milliseconds(200), 256 << 10)

        var moments: [(sum: UInt32, cut: JournalPosition)] = []
        for round in 0..<6 {
            let archiving = Task { [settings] in try await image.journal.archive(to: archive, settings) }
            if round == 1 { try await image.write { try await $0.createSnapshot("base") } }
            try await image.write { handle in
                for _ in 0..<30 {
                    let start = UInt64(random.below(23 << 20))
                    try await handle.write([UInt8](repeating: UInt8(random.below(256)), count: 1 + random.below(60_000)), at: start)
                }
                if round > 1 { try await handle.discard(UInt64(round) << 20..<UInt64(round + 3) << 20) }
                if round == 3 { try await handle.resize(to: 24 << 20, shrinking: true) }
                if round == 4 { try await handle.resize(to: 40 << 20) }
                try await handle.flush()
            }
            let end = try #require(try await image.lastPosition())
            if round > 1 { moments.append((try await Live.sandbox().checksum(image.name, at: nil), end)) }
            try await waitUntil("the archive has \(end)", within: .seconds(30), every: .milliseconds(50)) {
                guard let newest = try? await image.journal.client(settings.client).committed.newest else { return false }
                return !newest.precedes(end)
            }
            archiving.cancel()
            _ = await archiving.result
        }

        let restore = JournalRestore(from: archive)
        #expect(try await restore.contents().snapshots.map(\.name) == ["base"])
        for (number, moment) in moments.enumerated() {
            let copy = "\(image.name)-\(number)"
            try await Live.sandbox().rbd(["cp", "--no-progress", "--image-feature", "layering,exclusive-lock", "images/\(image.name)@base", "images/\(copy)"])
            let id = try await image.pool.withImage(copy) { try await $0.info().id }
            _ = try await restore.apply(to: id, in: image.pool, base: "base", upTo: moment.cut)
            #expect(try await Live.sandbox().checksum(copy, at: nil) == moment.sum, "moment \(number), \(SeededRandom.hint)")
        }

        // Without one of its segments it is not gone over.
        let files = try FileManager.default.contentsOfDirectory(atPath: archive.path).filter { $0.hasSuffix(".journal") }.sorted()
        try FileManager.default.removeItem(atPath: "\(archive.path)/\(files[files.count / 2])")
        let id = try await image.pool.withImage("\(image.name)-0") { try await $0.info().id }
        await #expect(throws: JournalArchive.Failure.self) {
            try await restore.apply(to: id, in: image.pool, base: "base", upTo: moments.last!.cut)
        }
    }
}

extension JournaledImage {
    fileprivate func lastPosition() async throws -> JournalPosition? {
        var last: JournalPosition?
        for try await entry in journal.entries() { last = entry.position }
        return last
    }
}
