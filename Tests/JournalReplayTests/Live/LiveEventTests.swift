import CephCore
import CephSandbox
import JournalReplay
import RBDImage
import Testing

/// What librbd writes down is decoded, and encoded again to the same bytes: also the types of which the reference has no whole frame.
@Suite struct LiveEventTests {
    @Test func everyType() async throws {
        let image = try await JournaledImage("events")
        try await image.write { handle in
            try await handle.write(Array("hello".utf8), at: 100)
            try await handle.writeSame([1, 2, 3, 4] + [UInt8](repeating: 9, count: 508), over: 65536..<73728)
            #expect(try await handle.compareAndWrite([UInt8](repeating: 0, count: 512), with: [UInt8](repeating: 5, count: 512), at: 1 << 20))
            #expect(try await !handle.compareAndWrite([UInt8](repeating: 0, count: 512), with: [UInt8](repeating: 6, count: 512), at: 1 << 20))
            try await handle.discard(0..<(1 << 20))
            try await handle.writeZeroes(4096..<8192)
            try await handle.flush()
            try await handle.createSnapshot("s")
            try await handle.renameSnapshot("s", to: "t")
            try await handle.protectSnapshot("t")
            try await handle.unprotectSnapshot("t")
            try await handle.rollBack(toSnapshot: "t")
            try await handle.setSnapshotLimit(10)
            try await handle.removeSnapshot("t")
            try await handle.setMetadata("key", to: "value")
            try await handle.removeMetadata("key")
            try await handle.resize(to: 40 << 20)
            try await handle.updateFeatures([.objectMap, .fastDiff], enabled: false)
        }
        var names: Set<String> = []
        for try await entry in image.journal.entries() {
            names.insert(entry.event.name)
            #expect(try JournalRecord(payload: entry.payload).encoded == Array(entry.payload), "\(entry.event.name)")
            if case .writeSame(let same) = entry.event { #expect(same.length == 8192 && same.pattern.count == 512) }
            if case .compareAndWrite(let write) = entry.event { #expect(write.length == 512 && write.expected.count == 512) }
        }
        #expect(names == [
            "AioWrite", "AioWriteSame", "AioCompareAndWrite", "AioDiscard", "AioFlush", "SnapCreate", "SnapRename", "SnapProtect",
            "SnapUnprotect", "SnapRollback", "SnapLimit", "SnapRemove", "MetadataSet", "MetadataRemove", "Resize", "UpdateFeatures", "OpFinish",
        ])
    }
}
