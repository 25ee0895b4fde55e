@testable import JournalReplay
import TestSupport
import Testing

@Suite struct FrameScannerTests {
    /// Goes through bytes and says what was found where.
    private func scan(_ bytes: [UInt8], at start: UInt64 = 0) -> (found: [String], rest: Int) {
        var scanner = FrameScanner(bytes, at: start)
        var found: [String] = []
        while true {
            switch scanner.next() {
            case .frame(let frame, let offset): found.append("\(frame.tag):\(frame.entry) at \(offset)")
            case .damage(let kind, let offset): return (found + ["\(kind) at \(offset)"], scanner.rest.count)
            case .end: return (found, scanner.rest.count)
            }
        }
    }

    @Test func adjacentFrames() {
        let (found, rest) = scan(Samples.g1 + Samples.g2 + Samples.g3)
        #expect(found == ["1:0 at 0", "1:1 at 93", "1:2 at 150"])
        #expect(rest == 0)
    }

    /// Padding goes to multiples of 8 of the object, wherever the bytes at hand begin.
    @Test(arguments: [0, 5, 4096] as [UInt64]) func padding(_ start: UInt64) {
        let lead = Int((8 - start % 8) % 8)
        let bytes = [UInt8](repeating: 0, count: lead) + Samples.g1 + [0, 0, 0] + Samples.g2 + [UInt8](repeating: 0, count: 4096 - 57)
            + Samples.g3
        let first = start + UInt64(lead)
        let (found, rest) = scan(bytes, at: start)
        #expect(found == ["1:0 at \(first)", "1:1 at \(first + 96)", "1:2 at \(first + 96 + 4096)"])
        #expect(rest == 0)
    }

    @Test func zeroesThatEndOffABoundary() {
        // 93 bytes and 7 zeroes end at 100.
        #expect(scan(Samples.g1 + [0, 0, 0, 0, 0, 0, 0] + Samples.g2).found.last == "\(JournalDamage.Kind.foreignBytes) at 96")
    }

    /// Whatever is cut off is waited for.
    @Test func beginnings() {
        let bytes = Samples.g1 + [0, 0, 0] + Samples.g2
        for count in 0..<bytes.count {
            let (found, rest) = scan(Array(bytes.prefix(count)))
            #expect(found == (count < 93 ? [] : ["1:0 at 0"]))
            #expect(rest == (count < 93 ? count : count < 96 ? count - 93 : count - 96))
        }
    }

    @Test func damage() {
        var bytes = Samples.g1 + Samples.g2
        bytes[60] ^= 1
        #expect(scan(bytes).found == ["\(JournalDamage.Kind.checksum) at 0"])
        bytes = Samples.g1 + [1] + Samples.g2
        #expect(scan(bytes).found == ["1:0 at 0", "\(JournalDamage.Kind.foreignBytes) at 93"])
        bytes = Samples.g1
        bytes[8] = 2
        #expect(scan(bytes).found == ["\(JournalDamage.Kind.unknownVersion) at 0"])
    }

    @Test func aPaddedObject() {
        let frame = JournalFrame(tag: 1, entry: 0, payload: ArraySlice([UInt8](repeating: 7, count: 144))).encoded
        let bytes = frame + [UInt8](repeating: 0, count: 7) + frame + [UInt8](repeating: 0, count: 7) + Samples.g2
            + [UInt8](repeating: 0, count: 7)
        #expect(frame.count == 177 && bytes.count == 432)
        #expect(scan(bytes).found == ["1:0 at 0", "1:0 at 184", "1:1 at 368"])
        #expect(scan(bytes).rest == 0)
    }
}
