import CephCore
import CephSandbox
import JournalReplay
import TestSupport
import Testing

/// Reading live journals, judged by `rbd journal export`.
@Suite(.serialized, .timeLimit(.minutes(20))) struct ReadingTests {
    /// Several tags, sets and killed writers.
    @Test(arguments: [(3, 16 << 10), (1, 4 << 10), (4, 64 << 10)]) func orderIsStocks(_ shape: (width: Int, objectSize: Int)) async throws {
        let image = try await JournaledImage("order", objectSize: shape.objectSize, width: shape.width)
        for round in 0..<3 {
            try await image.live(round)
            try await image.writeAndDie(size: shape.objectSize > 4096 ? 6000 : 512)
        }
        let stock = try await image.exported()
        for readAhead in [1 << 10, 8 << 20] {
            var ours: [StockEntry] = []
            for try await entry in image.journal.entries(readAhead: readAhead) { ours.append(StockEntry(entry)) }
            #expect(ours.count == stock.count)
            let first = zip(ours, stock).enumerated().first { $1.0 != $1.1 }
            #expect(first == nil, "\(String(describing: first))")
        }
        #expect(Set(stock.map(\.tag_id)).count >= 6)
    }

    /// From every kind of commit position on, stock's bug at the end of a tag aside: it may drop the tag's last entries there.
    @Test func resumes() async throws {
        let image = try await JournaledImage("resume", objectSize: 8 << 10, width: 3)
        for round in 0..<4 { try await image.live(round) }
        try await image.writeAndDie(size: 512)
        var all: [JournalEntry] = []
        for try await entry in image.journal.entries() { all.append(entry) }
        var random = SeededRandom.forRun("resumes")
        let ends = all.indices.filter { $0 + 1 < all.count && all[$0].position.tag != all[$0 + 1].position.tag }
        // One behind the other: what lies before is trimmed by whoever looks.
        let chosen = Set((0..<60).map { _ in random.below(all.count) } + ends + ends.compactMap { $0 > 0 ? $0 - 1 : nil })
        #expect(chosen.count >= 40 && ends.count >= 4)
        // Stock's tools begin where the slowest client is, and the killed writer has committed nothing.
        var end = JournalCommitPosition()
        for entry in all { end.advance(to: entry.position, splayWidth: 3) }
        try await image.journal.commit(JournalClient.imageID, end)
        var committed = JournalCommitPosition()
        var dropped = 0
        for index in all.indices {
            committed.advance(to: all[index].position, splayWidth: 3)
            guard chosen.contains(index) else { continue }
            try await image.journal.commit(JournaledImage.reader, committed)
            var ours: [JournalEntry] = []
            for try await entry in image.journal.entries(after: committed, readAhead: 1 << (12 + random.below(8))) { ours.append(entry) }
            #expect(ours == Array(all[(index + 1)...]), "after entry \(index), \(all[index].position) \(SeededRandom.hint)")
            let stock = try await image.exported()
            if ours.map(StockEntry.init) == stock { continue }
            dropped += 1
            let rest = ours.drop { $0.position.tag == all[index].position.tag }
            #expect(ours.count - rest.count < 3, "\(all[index].position)")
            #expect(rest.map(StockEntry.init) == stock, "\(all[index].position)")
        }
        print("resumed at \(chosen.count) positions; stock dropped the end of a tag at \(dropped)")
    }
}
