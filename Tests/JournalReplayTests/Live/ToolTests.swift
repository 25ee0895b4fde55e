import CephCore
import CephSandbox
import Foundation
import JournalReplay
import Synchronization
import TestSupport
import Testing

/// Export, import and inspection, both ways with stock's own.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ToolTests {
    @Test func exports() async throws {
        let image = try await JournaledImage("export", objectSize: 16 << 10)
        try await image.live(0)
        try await image.writeAndDie(size: 4000)
        try await image.live(1)
        let file = MemoryFile()
        let count = try await image.journal.export(to: file).entries
        #expect(count > 50)
        let stock = try await image.exportedText()
        #expect(file.bytes == Array(stock.prefix(file.bytes.count)))
        #expect(String(decoding: stock.dropFirst(file.bytes.count), as: UTF8.self) == "\(count) entries processed, 0 errors\n")
    }

    /// What was exported by one is imported by the other, and by itself: the image that applies it is the same.
    @Test(arguments: [(true, false), (false, true), (false, false)])
    func imports(_ makers: (stockExports: Bool, stockImports: Bool)) async throws {
        let image = try await JournaledImage("origin", objectSize: 16 << 10)
        try await image.live(0)
        try await image.live(1)
        try await image.write { try await $0.write([UInt8](repeating: 9, count: 200_000), at: 5000) }
        let file = MemoryFile()
        if makers.stockExports {
            file.bytes = try await image.exportedText().split(separator: UInt8(ascii: "\n")).dropLast().joined(separator: [10]) + [10]
        } else {
            try await image.journal.export(to: file)
        }
        let copy = try await JournaledImage("copy", objectSize: 32 << 10, width: 5)
        try await copy.journal.unregister(JournaledImage.reader)
        if makers.stockImports {
            let output = try await Live.sandbox().output("rbd", ["journal", "import", "-", "images/\(copy.journal.id)"], input: file.bytes)
            #expect(output.exit.isSuccess, "\(output.errorText)")
        } else {
            let report = try await copy.journal.importEntries(from: file)
            // Snapshots have other ids there.
            #expect(report.refused.count == 2 && report.refused.allSatisfy { $0.reason.contains("renames snapshot s") }, "\(report)")
            #expect(report.tags.count >= 3)
            // Those are to be applied first.
            await #expect(throws: JournalToolError.self) { try await copy.journal.importEntries(from: MemoryFile(file.bytes)) }
        }
        try await copy.write { try await $0.flush() }
        let (ours, theirs) = (try await image.checksum(), try await copy.checksum())
        #expect(ours == theirs)
        let names = try await image.pool.withImage(image.name) { try await $0.snapshots().map(\.name) }
        let copied = try await copy.pool.withImage(copy.name) { try await $0.snapshots().map(\.name) }
        #expect(names == ["r0", "r1"] && copied == ["s0", "s1"])
        for (name, other) in zip(names, copied) { #expect(try await image.checksum(at: name) == copy.checksum(at: other)) }
    }

    @Test func refusesWhatIsNoFile() async throws {
        let image = try await JournaledImage("refusals", objectSize: 4 << 10)
        func report(_ text: String) async throws -> JournalImportReport {
            try await image.journal.importEntries(from: MemoryFile(Array(text.utf8)))
        }
        for text in ["12x{}", "5 {}", "99999999999 {}", String(repeating: "1", count: 90), "2 {}\nabc"] {
            await #expect(throws: JournalToolError.self, "\(text)") { _ = try await report(text) }
        }
        let refused = try await report("# comment\n2 {}\n\n15 {\"entry\":\"AQI\"}\n16 {\"entry\":\"AQI=\"}")
        #expect(refused.refused.map(\.record) == [1, 2, 3] && refused.imported.entries == 0 && refused.tags.isEmpty)

        try await image.pool.withImage(image.name, for: .readWrite) { handle in
            try await handle.write([1], at: 0)
            let error = await #expect(throws: JournalToolError.self) { _ = try await report("2 {}") }
            #expect(error?.code == .imageInUse)
        }
    }

    @Test func inspects() async throws {
        let image = try await JournaledImage("inspect", objectSize: 16 << 10)
        try await image.live(0)
        try await image.writeAndDie(size: 4000)
        var entries = 0
        for try await _ in image.journal.entries() { entries += 1 }
        let sound = try await image.journal.inspect()
        #expect(sound.entries - sound.strays == entries && sound.damages == 0, "\(sound), in order \(entries)")
        #expect(sound.types[4] == 1 && sound.types[1] ?? 0 > 20 && sound.tags.count >= 2)

        // A byte in the middle, the end of another object, and a whole one.
        let pool = image.journal.dataPool
        let object = image.journal.dataObject
        try await pool.write([0xff], to: object(0), at: 300)
        let size = try await pool.stat(object(1)).size
        var truncation = WriteOperation()
        truncation.truncate(to: 100)
        try await pool.apply(truncation, to: object(1))
        #expect(size > 1000)
        let damaged = try await image.journal.inspect()
        #expect(damaged.damages >= 2 && damaged.entries < sound.entries && damaged.entries > sound.entries / 4, "\(damaged)")
        #expect(damaged.damage.contains { $0.object == object(0) && $0.offset <= 300 && $0.kind == .checksum })
        await #expect(throws: JournalDamage.self) { for try await _ in image.journal.entries() {} }
    }
}

/// A file in memory.
private final class MemoryFile: ByteInput, ByteOutput {
    private let content: Mutex<[UInt8]>
    private let position = Mutex(0)

    init(_ bytes: [UInt8] = []) { content = Mutex(bytes) }

    var bytes: [UInt8] {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }

    func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws -> Int {
        let start = position.withLock { $0 }
        // In odd parts.
        let part = bytes.dropFirst(start).prefix(min(range.count, 7777))
        buffer.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyBytes(from: part) }
        position.withLock { $0 += part.count }
        return part.count
    }

    func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
        let part = buffer.withBytes { Array($0[range]) }
        content.withLock { $0 += part }
    }
}
