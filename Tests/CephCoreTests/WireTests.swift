import CephCore
import Testing

@Suite struct WireTests {
    @Test func frameRoundTrip() throws {
        let bytes = Encoder.encode { $0.frame(version: 2, compat: 1) { $0.string("site-a"); $0.u64(7) } }
        #expect(bytes.prefix(6) == [2, 1, 18, 0, 0, 0])
        let name = try Decoder.decode(bytes) { (d) throws(WireError) in
            try d.frame(supported: 1) { (d, version) throws(WireError) in try d.string() }
        }
        #expect(name == "site-a")
    }

    @Test func refusesWhatItCannotHold() {
        #expect(throws: WireError(.oversized, at: 0)) {
            try Decoder.decode([255, 255, 255, 255, 1]) { (d) throws(WireError) in try d.blob() }
        }
        #expect(throws: WireError(.incompatible, at: 0)) {
            try Decoder.decode([9, 9, 0, 0, 0, 0]) { (d) throws(WireError) in
                try d.frame(supported: 1) { (_, _) throws(WireError) in }
            }
        }
    }
}
