import CephCore
@testable import JournalReplay
import TestSupport
import Testing

/// Damaged input gives a typed error or a value, quickly and without taking memory for it.
@Suite struct DecoderFuzzTests {
    typealias Subject = MutationFuzz.Subject

    static let subjects: [Subject] = [
        Subject("JournalRecord", Samples.frames.map { Array($0[29..<$0.count - 4]) } + older) { bytes, again in
            let record = try JournalRecord(encoded: bytes)
            return try !again || JournalRecord(encoded: record.encoded) == record
        },
        .codec(JournalClient.self, Samples.c1, Samples.c2, Samples.c3), .codec(JournalClientRole.self, Samples.c4),
        .codec(JournalTag.self, Samples.t1, Samples.t2, Samples.t3),
        Subject("epoch", [Samples.t1, Samples.t4]) { bytes, _ in
            _ = try JournalTag(encoded: bytes).epoch()
            return true
        },
        Subject("frames", [Samples.g1 + [0, 0, 0] + Samples.g2, Samples.frames.flatMap { $0 }]) { bytes, _ in
            var scanner = FrameScanner(bytes, at: 3)
            while case .frame(let frame, let offset) = scanner.next() {
                guard Array(bytes[Int(offset) - 3..<Int(offset) - 3 + frame.encoded.count]) == frame.encoded else { return false }
            }
            return true
        },
        .reply(JournalMethod.clients(after: "", limit: 9), hex("02000000") + Samples.c1 + Samples.c3),
        .reply(JournalMethod.tags(after: 0, limit: 9, client: ""), hex("02000000") + Samples.t1 + Samples.t3),
    ]

    /// Records as older versions wrote them.
    private static var older: [[UInt8]] {
        (1...4).flatMap { version in EventTests.samples.map { JournalRecord($0.event, at: .zero, version: UInt8(version)).encoded } }
    }

    @Test(arguments: subjects.map(\.name)) func acceptsItsSamples(_ name: String) throws {
        for subject in Self.subjects where subject.name == name {
            for sample in subject.samples { #expect(try subject.accepts(sample)) }
        }
    }

    @Test func survivesDamage() throws {
        let outcome = try MutationFuzz(Self.subjects).run(cases: 40_000, name: "journal") { $0 is WireError }
        #expect(outcome.unstable.isEmpty, "\(outcome.unstable.prefix(3)) \(SeededRandom.hint)")
        #expect(outcome.accepted > 1000 && outcome.refused > 1000)
        #expect(outcome.memoryGrowth < 64 << 20)
    }
}
