import CCeph
import CephCore
import TestSupport
import Testing

@Suite struct WireCRC32CTests {
    /// Values that Ceph itself gives.
    @Test(arguments: [
        ("", 0, 0), ("", 7, 7), ("123456789", 0, 0x58e3_fa20), ("123456789", 0xffff_ffff, 0x1cf9_6d7c),
        ("foo bar baz", 0, 4_119_623_852), ("foo bar baz", 1234, 881_700_046),
        ("whiz bang boom", 0, 2_360_230_088), ("whiz bang boom", 5678, 3_743_019_208),
    ] as [(String, UInt32, UInt32)])
    func knownValues(_ text: String, _ seed: UInt32, _ expected: UInt32) {
        #expect(CRC32C.checksum(Array(text.utf8), seed: seed) == expected)
        #expect(CRC32C.checksum(Array(text.utf8)[...], seed: seed) == expected)
        #expect(cceph_crc32c_table(seed, Array(text.utf8), text.utf8.count) == expected)
    }

    /// A frame of a live journal: the last four bytes are the checksum of those before.
    @Test func journalFrame() {
        let frame = hex("""
            9397585326594131 01 0000000000000000 0100000000000000 3c000000
            050128000000 01000000 0010000000000000 1000000000000000 10000000 68656c6c6f206a6f75726e616c212121
            010108000000 1c5d016b 1c27b02c
            """)
        #expect(CRC32C.checksum(frame) == 0x788c_16eb)
    }

    @Test func everyWayToGiveTheBytesIsTheSame() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let expected = CRC32C.checksum(bytes)
        #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == expected)
        #expect(CRC32C.checksum(bytes.span.bytes) == expected)
        #expect(CRC32C.checksum(bytes.lazy.map { $0 }) == expected)
        #expect(CRC32C.checksum(UnsafeRawBufferPointer(start: nil, count: 0), seed: 5) == 5)
    }

    /// Any length and alignment; in one piece and in two; against the portable table.
    @Test func agreesWithTheTableAndWithItself() {
        var random = SeededRandom.forRun("crc32c")
        let bytes = (0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for _ in 0..<2000 {
            let start = random.below(64), end = start + random.below(bytes.count - start)
            let seed = UInt32(truncatingIfNeeded: random.next())
            let part = Array(bytes[start..<end])
            let whole = CRC32C.checksum(bytes[start..<end], seed: seed)
            #expect(whole == cceph_crc32c_table(seed, part, part.count), "\(SeededRandom.hint)")
            let cut = random.below(part.count + 1)
            #expect(whole == CRC32C.checksum(part[cut...], seed: CRC32C.checksum(part[..<cut], seed: seed)))
        }
    }
}
