@testable import JournalReplay
import TestSupport
import Testing

@Suite struct EntryMergeTests {
    private static func head(_ tag: UInt64, _ entry: UInt64, width: Int) -> EntryMerge.Head {
        EntryMerge.Head(frame: JournalFrame(tag: tag, entry: entry, payload: []), object: entry % UInt64(width), offset: 0)
    }

    /// Goes through what lies in the lanes, a few entries at a time; a gap ends it.
    private func order(
        _ lanes: [[(UInt64, UInt64)]], after committed: JournalPosition? = nil, _ random: inout SeededRandom
    ) -> (entries: [[UInt64]], gap: [UInt64]?) {
        var merge = EntryMerge(width: lanes.count, after: committed)
        var rest = lanes.map { $0[...] }
        var entries: [[UInt64]] = []
        while true {
            switch merge.next() {
            case .entry(let head): entries.append([head.frame.tag, head.frame.entry])
            case .gap(let head): return (entries, [head.frame.tag, head.frame.entry])
            case .needs(let lane):
                let count = min(1 + random.below(3), rest[lane].count)
                let heads = rest[lane].prefix(count).map { Self.head($0.0, $0.1, width: lanes.count) }
                rest[lane] = rest[lane].dropFirst(count)
                merge.add(heads, to: lane, isAtEnd: rest[lane].isEmpty)
            case .stalled:
                guard merge.expected != nil else { return (entries, nil) }
                merge.endTag()
            }
        }
    }

    /// Tags of random length, some empty, with strays behind their ends.
    @Test func randomJournals() {
        var random = SeededRandom.forRun("merge")
        for _ in 0..<2000 {
            let width = 1 + random.below(5)
            var lanes = [[(UInt64, UInt64)]](repeating: [], count: width)
            var expected: [[UInt64]] = []
            for tag in 1...UInt64(1 + random.below(6)) {
                let count = UInt64(random.below(12))
                for entry in 0..<count {
                    lanes[Int(entry) % width].append((tag, entry))
                    expected.append([tag, entry])
                }
                // Entry `count` never arrived, nor any behind it in its lane.
                for stray in (count + 1)..<(count + 1 + UInt64(random.below(2 * width)))
                where count > 0 && stray % UInt64(width) != count % UInt64(width) && random.oneIn(2) {
                    lanes[Int(stray) % width].append((tag, stray))
                }
            }
            #expect(order(lanes, &random).entries == expected, "\(lanes) \(SeededRandom.hint)")
            guard let at = expected.indices.randomElement() else { continue }
            let committed = JournalPosition(object: 0, tag: expected[at][0], entry: expected[at][1])
            #expect(order(lanes, after: committed, &random).entries == Array(expected[(at + 1)...]), "\(lanes) \(committed)")
        }
    }

    @Test func whatIsMissing() {
        var random = SeededRandom.forRun("gaps")
        // Entry 2 is gone, and 4 lies behind it in the same object.
        #expect(order([[(1, 0), (1, 4)], [(1, 1), (1, 3)]], &random).gap == [1, 4])
        // A tag's first entry is gone.
        #expect(order([[(1, 0), (2, 2)], [(2, 1)]], &random).gap == [2, 2])
        // The first tag there is may begin anywhere: what was before is trimmed.
        #expect(order([[(3, 4)], [(3, 3), (3, 5)]], &random).entries == [[3, 3], [3, 4], [3, 5]])
        #expect(order([[], []], &random).entries.isEmpty)
    }

    @Test func numbersEnd() {
        var random = SeededRandom.forRun("ends")
        let last = JournalPosition(object: 0, tag: .max, entry: .max)
        #expect(order([[(.max, .max)]], after: last, &random).entries.isEmpty)
    }
}
