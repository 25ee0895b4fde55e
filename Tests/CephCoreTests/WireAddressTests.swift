import CephCore
import TestSupport
import Testing

@Suite struct WireAddressTests {
    /// `marker | frame | type | nonce | sockaddr length | sockaddr`.
    static let v4 = hex("01 0101 1c000000 03000000 39300000 10000000 0200 1a90 7f000001 0000000000000000")
    static let v6 = hex(
        "01 0101 28000000 02000000 39300000 1c000000 0a00 1a90 00000000 20010db8000000000000000000000001 00000000")
    static let legacy = hex("00 00 0000 39300000 0002 1a90 0a000102") + [UInt8](repeating: 0, count: 120)

    private func address(_ bytes: [UInt8]) throws -> String { try EntityAddress(encoded: bytes).description }

    @Test func rendersAsTheBlocklistTakesIt() throws {
        #expect(try address(Self.v4) == "127.0.0.1:6800/12345")
        #expect(try address(Self.v6) == "[2001:db8::1]:6800/12345")
        #expect(try address(Self.legacy) == "10.0.1.2:6800/12345")
        #expect(EntityAddress(address: [UInt8](repeating: 0, count: 15) + [1], port: 0, nonce: 7).description == "[::1]:0/7")
        #expect(EntityAddress(address: [UInt8](repeating: 0, count: 16), port: 0, nonce: 7).description == "[::]:0/7")
    }

    @Test func noAddress() throws {
        #expect(try address(hex("01 0101 0c000000 00000000 00000000 00000000")) == "-")
        // A family that is neither IPv4 nor IPv6, and a socket address that is cut short.
        #expect(try address(hex("01 0101 1c000000 00000000 00000000 10000000 0100 000000000000 0000000000000000")) == "-")
        #expect(try address(hex("01 0101 10000000 00000000 00000000 04000000 0a00 1a90")) == "-")
    }

    @Test func ofAListTheLegacyOneElseTheFirst() throws {
        var v1 = Self.v4
        v1[7] = 1
        #expect(try address([2, 2, 0, 0, 0] + Self.v6 + v1) == "127.0.0.1:6800/12345")
        #expect(try address([2, 2, 0, 0, 0] + Self.v6 + Self.v4) == "[2001:db8::1]:6800/12345")
        #expect(try address([2, 1, 0, 0, 0] + Self.legacy) == "10.0.1.2:6800/12345")
        #expect(try address([2, 0, 0, 0, 0]) == "-")
    }

    @Test func refusesUnknownMarkersAndShortInput() {
        #expect(throws: WireError(.incompatible, at: 0, in: "EntityAddress")) { try address([3] + Self.v4.dropFirst()) }
        for length in 0..<Self.v4.count { #expect(throws: WireError.self) { try address(Array(Self.v4.prefix(length))) } }
        for length in 0..<Self.legacy.count { #expect(throws: WireError.self) { try address(Array(Self.legacy.prefix(length))) } }
    }

    @Test func instance() throws {
        let instance = try EntityInstance(encoded: hex("08 5a10000000000000") + Self.v4)
        #expect(instance.kind == 8 && instance.number == 4186 && instance.address.port == 6800)
    }
}
