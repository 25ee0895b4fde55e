import CephCore
import CephSandbox
import Foundation
@testable import JournalReplay
import Synchronization
import TestSupport
import Testing

/// Damaged journals, as `rbd journal inspect` judges them and as ours does.
@Suite(.serialized, .timeLimit(.minutes(10))) struct InspectorTests {
    /// Frames that are whole around records that are not: both decode the same ones, names that are not UTF-8 aside, which ours
    /// refuses with that reason.
    @Test func records() async throws {
        let image = try await JournaledImage("records", objectSize: 4 << 20, width: 1)
        var random = SeededRandom.forRun("inspected-records")
        let samples = DecoderFuzzTests.subjects[0].samples
        var records = samples
        for _ in 0..<(600 * Live.count) {
            var record = samples[random.below(samples.count)]
            for _ in 0...random.below(3) { MutationFuzz.damage(&record, &random) }
            records.append(record)
        }
        try await image.put(records.enumerated().flatMap { JournalFrame(tag: 1, entry: UInt64($0), payload: $1[...]).encoded })

        let ours = Mutex(Set<UInt64>())
        let inspection = try await image.journal.inspect { entry in ours.withLock { _ = $0.insert(entry.position.entry) } }
        #expect(inspection.entries == records.count && inspection.damages == records.count - ours.withLock(\.count))
        let stock = try await image.inspectedByStock()
        #expect(stock.entries.count == records.count)
        for (entry, isSound) in stock.entries.enumerated() where isSound != ours.withLock({ $0.contains(UInt64(entry)) }) {
            if isSound, isForeignText(records[entry]) { continue }
            let bytes = records[entry].map { String($0, radix: 16) }.joined(separator: " ")
            Issue.record("entry \(entry): stock \(isSound ? "takes" : "refuses") \(bytes)\n\(SeededRandom.hint)")
        }
        #expect(ours.withLock(\.count) > 100 && inspection.damages > 100)
    }

    private func isForeignText(_ record: [UInt8]) -> Bool {
        do throws(WireError) { _ = try JournalRecord(encoded: record) } catch { return error.reason == .invalidText }
        return false
    }

    /// Damage to what is around the records, too: both find it, or neither.
    @Test func frames() async throws {
        let image = try await JournaledImage("frames", objectSize: 4 << 20, width: 1)
        var random = SeededRandom.forRun("inspected-frames")
        let payloads = Samples.frames.map { $0[29..<$0.count - 4] }
        var verdicts: [Bool: Int] = [:]
        for _ in 0..<(40 * Live.count) {
            var bytes = payloads.enumerated().flatMap { JournalFrame(tag: 1, entry: UInt64($0), payload: $1).encoded }
            for _ in 0..<random.below(3) { MutationFuzz.damage(&bytes, &random) }
            try await image.put(bytes)
            let ours = try await image.journal.inspect()
            let stock = try await image.inspectedByStock()
            // Whether there is a version that nobody knows stock looks at last: it may take such an entry for one that was cut short.
            if ours.damage.contains(where: { $0.kind == .unknownVersion }), stock.text.contains("partial record") { continue }
            let hexadecimal = bytes.map { String($0, radix: 16) }.joined(separator: " ")
            #expect(
                (ours.damages == 0) == stock.isSound, "ours \(ours.damage), stock \(stock.text)\n\(hexadecimal)\n\(SeededRandom.hint)")
            if stock.isSound { #expect(ours.entries == stock.entries.count, "\(hexadecimal)\n\(SeededRandom.hint)") }
            verdicts[stock.isSound, default: 0] += 1
        }
        #expect(verdicts[true] ?? 0 > 4 && verdicts[false] ?? 0 > 4)
    }
}

extension JournaledImage {
    /// Replaces what is in the first of the journal's objects.
    fileprivate func put(_ bytes: [UInt8]) async throws {
        var operation = WriteOperation()
        operation.writeFull(bytes)
        try await journal.dataPool.apply(operation, to: journal.dataObject(0))
    }

    /// Which entries `rbd journal inspect` can decode, in order, and what it says of the whole.
    fileprivate func inspectedByStock() async throws -> (entries: [Bool], isSound: Bool, text: String) {
        let output = try await Live.sandbox().output("rbd", ["journal", "inspect", "--verbose", "images/\(journal.id)"])
        let lines = String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n")
        var entries: [Bool] = []
        for line in lines {
            if line.hasPrefix("Entry: ") { entries.append(false) } else if line.hasPrefix("{") { entries[entries.count - 1] = true }
        }
        guard output.exit.status != nil, lines.contains("Summary:") else { throw StockError(text: "\(output.exit) \(output.errorText)") }
        return (entries, output.exit.isSuccess, output.errorText)
    }
}
