@testable import SnapshotDelta
import CephCore
import TestSupport
import Testing

/// The bytes of `rbd export-diff`, both versions, as doc/dev/rbd-diff.rst has them.
@Suite struct DiffRecordTests {
    static let v1 = hex("""
        'rbd diff v1' 0a | 66 "monday" | 74 "tuesday" | 73 0000400100000000
        | 77 0010000000000000 0300000000000000 'abc' | 7a 0000100000000000 0000020000000000 | 65
        """)
    static let v2 = hex("""
        'rbd diff v2' 0a | 66 0a00000000000000 "monday" | 74 0b00000000000000 "tuesday" | 70 0100000000000000 01
        | 73 0800000000000000 0000400100000000 | 77 1300000000000000 0010000000000000 0300000000000000 'abc'
        | 7a 1000000000000000 0000100000000000 0000020000000000 | 65
        """)
    static let header = DiffHeader(format: .v2, start: "monday", end: "tuesday", size: 20 << 20, isEndProtected: true)

    @Test(arguments: [(DiffFormat.v1, v1), (.v2, v2)]) func writes(format: DiffFormat, bytes: [UInt8]) async throws {
        let stream = MemoryStream()
        var header = Self.header
        header.format = format
        let writer = try await DiffWriter(stream, header)
        let buffer = IOBuffer(capacity: 8)
        buffer.withBytes { $0.copyBytes(from: Array("xxabcxxx".utf8)) }
        try await writer.write(buffer, 2..<5, at: 4096)
        try await writer.writeHole(1 << 20..<(1 << 20) + 131_072)
        try await writer.finish()
        #expect(stream.bytes == bytes)
        #expect(writer.position == UInt64(bytes.count))
    }

    @Test(arguments: [(DiffFormat.v1, v1), (.v2, v2)]) func reads(format: DiffFormat, bytes: [UInt8]) async throws {
        let reader = DiffReader(MemoryStream(bytes))
        var header = Self.header
        header.format = format
        header.isEndProtected = format == .v2
        #expect(try await reader.header() == header)
        #expect(try await reader.next() == .init(range: 4096..<4099, isHole: false))
        let buffer = IOBuffer(capacity: 8)
        try await reader.read(into: buffer, 1..<4)
        #expect(buffer.withBytes { Array($0[1..<4]) } == Array("abc".utf8))
        #expect(try await reader.next() == .init(range: 1 << 20..<(1 << 20) + 131_072, isHole: true))
        #expect(try await reader.next() == nil)
        #expect(reader.position == UInt64(bytes.count))
    }

    /// A stream from HEAD to nothing has neither names nor data.
    @Test func theLeastThereIs() async throws {
        let reader = DiffReader(MemoryStream(hex("'rbd diff v1' 0a 65")))
        #expect(try await reader.header() == DiffHeader())
        #expect(try await reader.next() == nil)
    }

    @Test func dataThatNobodyTookIsPassedOver() async throws {
        let reader = DiffReader(MemoryStream(Self.v2))
        _ = try await reader.header()
        #expect(try await reader.next()?.isHole == false)
        #expect(try await reader.next()?.isHole == true)
    }

    /// As after each other in `rbd export --export-format 2`.
    @Test func oneStreamBehindTheOther() async throws {
        let reader = DiffReader(MemoryStream(Self.v2 + Self.v1 + [1, 2, 3]))
        for format in [DiffFormat.v2, .v1] {
            #expect(try await reader.header().format == format)
            while try await reader.next() != nil {}
        }
        #expect(reader.position == UInt64(Self.v2.count + Self.v1.count))
    }

    @Test func recordsOfUnknownKindsArePassedOverInV2() async throws {
        let unknown = hex("58 0400000000000000 01020304")
        let bytes = Self.v2.prefix(12) + unknown + Self.v2.dropFirst(12).dropLast() + unknown + [UInt8(ascii: "e")]
        let reader = DiffReader(MemoryStream(Array(bytes)))
        #expect(try await reader.header() == Self.header)
        while try await reader.next() != nil {}
        #expect(reader.position == UInt64(bytes.count))
        #expect(await refusal(hex("'rbd diff v1' 0a 58 0400000000000000 01020304 65")) == WireError(.invalidValue, at: 12, in: "diff stream"))
    }

    /// As `rbd export --export-format 2` of 16.2 writes it: eight bytes are told of, one is there.
    @Test func protectionWithTheLengthThatOlderReleasesTell() async throws {
        let reader = DiffReader(MemoryStream(hex("'rbd diff v2' 0a 74 0600000000000000 \"s0\" 70 0800000000000000 01 65")))
        #expect(try await reader.header() == DiffHeader(format: .v2, end: "s0", isEndProtected: true))
        #expect(try await reader.next() == nil)
    }

    /// What a stream that is wrong is refused with.
    private func refusal(_ bytes: [UInt8]) async -> WireError? {
        do {
            let reader = DiffReader(MemoryStream(bytes))
            _ = try await reader.header()
            while try await reader.next() != nil {}
            return nil
        } catch { return error as? WireError }
    }

    @Test(arguments: [v1, v2]) func everyEndThatIsTooEarlyIsSeen(bytes: [UInt8]) async {
        for length in bytes.indices {
            let error = await refusal(Array(bytes.prefix(length)))
            #expect(error?.reason == .truncated, "\(length)")
            #expect((error?.offset ?? .max) <= length)
        }
    }

    @Test(arguments: [
        ("'rbd image v2' 0a", 0, WireError.Reason.notADiff),
        ("'rbd diff v3' 0a 65", 0, .notADiff),
        // A name that is too long, one that is empty and one that is no text.
        ("'rbd diff v1' 0a 66 01100000", 13, .invalidValue),
        ("'rbd diff v1' 0a 66 ffffffff", 13, .invalidValue),
        ("'rbd diff v1' 0a 74 00000000 65", 13, .invalidValue),
        ("'rbd diff v1' 0a 66 02000000 c328 65", 17, .invalidText),
        // Places that cannot be.
        ("'rbd diff v1' 0a 73 ffffffffffffffff 65", 13, .invalidValue),
        ("'rbd diff v1' 0a 77 ffffffffffffffff 0100000000000000 00 65", 13, .invalidValue),
        ("'rbd diff v1' 0a 7a 0100000000000000 ffffffffffffff7f 65", 13, .invalidValue),
        // Lengths that contradict each other.
        ("'rbd diff v2' 0a 66 0b00000000000000 \"monday\" 65", 13, .invalidValue),
        ("'rbd diff v2' 0a 77 1400000000000000 0010000000000000 0300000000000000 'abc' 65", 13, .invalidValue),
        // Metadata behind data.
        ("'rbd diff v1' 0a 7a 0000000000000000 0100000000000000 66 \"monday\" 65", 29, .invalidValue),
        // Protection is not told in v1.
        ("'rbd diff v1' 0a 70 01 65", 12, .invalidValue),
    ]) func refuses(text: String, offset: Int, reason: WireError.Reason) async {
        #expect(await refusal(hex(text)) == WireError(reason, at: offset, in: "diff stream"))
    }
}
