@testable import SnapshotDelta
import CephCore
import Foundation
import Synchronization
import TestSupport
import Testing

/// Damaged streams give typed errors or values, without taking memory for it.
@Suite struct DiffStreamFuzzTests {
    static let records: [(DiffRecord, DiffFormat)] = [DiffFormat.v1, .v2].flatMap { format in
        [.start("monday"), .end("tuesday"), .size(1 << 30), .data(4096..<8192), .zeroes(0..<1 << 20), .finish].map { ($0, format) }
    } + [(.protection(true), .v2)]

    static func encoded(_ record: DiffRecord, _ format: DiffFormat) -> [UInt8] {
        Encoder.encode { record.encode(into: &$0, format) }
    }

    @Test func recordsSurviveTheirEncoding() throws {
        for (record, format) in Self.records {
            let bytes = Self.encoded(record, format)
            let found = try #require(try DiffRecord.decode(bytes + [0xff], format))
            #expect(found.record == record && found.length == bytes.count)
            for length in bytes.indices { #expect(try DiffRecord.decode(Array(bytes.prefix(length)), format) == nil) }
        }
    }

    @Test func damagedRecords() throws {
        let fuzz = MutationFuzz(Self.records.map { record, format in
            MutationFuzz.Subject("\(record)", [Self.encoded(record, format)]) { bytes, again in
                guard let (found, length) = try DiffRecord.decode(bytes, format) else { throw WireError(.truncated, at: 0) }
                if case .unknown = found { return true }
                return try !again || DiffRecord.decode(Array(bytes.prefix(length)), format)?.record == found
            }
        })
        let outcome = try fuzz.run(cases: 100_000, name: "diff records") { $0 is WireError }
        #expect(outcome.unstable.isEmpty, "\(SeededRandom.hint) \(outcome.unstable.prefix(3))")
        #expect(outcome.accepted > 10_000 && outcome.refused > 10_000, "\(outcome.accepted) \(outcome.refused)")
        #expect(outcome.memoryGrowth < 64 << 20, "\(outcome.memoryGrowth) bytes more")
    }

    @Test func damagedStreams() async throws {
        FileHandle.standardError.write(Data("diff streams: \(SeededRandom.hint)\n".utf8))
        var random = SeededRandom.forRun("diff streams")
        let before = MutationFuzz.peakMemory
        var (read, refused) = (0, 0)
        for index in 0..<5000 {
            var bytes = index & 1 == 0 ? DiffRecordTests.v1 : DiffRecordTests.v2
            for _ in 0...random.below(3) { MutationFuzz.damage(&bytes, &random) }
            do {
                try await Self.readAll(bytes, step: 1 + random.below(40))
                read += 1
            } catch {
                #expect(error is WireError, "\(SeededRandom.hint) \(error)")
                refused += 1
            }
        }
        #expect(read > 100 && refused > 1000, "\(read) \(refused)")
        let growth = MutationFuzz.peakMemory - before
        #expect(growth < 64 << 20, "\(growth) bytes more")
    }

    /// Reads a stream that arrives in small pieces, with the data of each change.
    static func readAll(_ bytes: [UInt8], step: Int) async throws {
        let reader = DiffReader(Trickle(bytes, step: step))
        _ = try await reader.header()
        let buffer = IOBuffer(capacity: 4096)
        while let change = try await reader.next() {
            guard !change.isHole else { continue }
            for part in change.range.parts(of: 4096) {
                try await reader.read(into: buffer, 0..<Int(part.upperBound - part.lowerBound))
            }
        }
    }

    @Test func aStreamInSmallPiecesIsTheSame() async throws {
        for step in 1...30 {
            for bytes in [DiffRecordTests.v1, DiffRecordTests.v2] { try await Self.readAll(bytes, step: step) }
        }
    }

    /// Bytes that come a few at a time, and none after the last.
    final class Trickle: ByteInput {
        private let rest: Mutex<ArraySlice<UInt8>>
        private let step: Int

        init(_ bytes: [UInt8], step: Int) {
            rest = Mutex(bytes[...])
            self.step = step
        }

        func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws -> Int {
            let next = rest.withLock { rest in
                let next = Array(rest.prefix(min(step, range.count)))
                rest = rest.dropFirst(next.count)
                return next
            }
            buffer.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyBytes(from: next) }
            return next.count
        }
    }
}
