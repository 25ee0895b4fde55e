import CephCore
@testable import RBDImage
import TestSupport
import Testing

@Suite struct ObjectMapTests {
    static func random(_ count: Int, _ random: inout SeededRandom) -> (ObjectMap, [UInt8]) {
        var map = ObjectMap(count: count)
        var states: [UInt8] = []
        for index in 0..<count {
            states.append(UInt8(random.below(4)))
            map[index] = ObjectState(rawValue: states[index])
        }
        return (map, states)
    }

    @Test func golden() throws {
        // Five objects: 0, 1, 2, 3, 1, the first in the highest bits.
        var map = ObjectMap(count: 5)
        for (index, state) in [ObjectState.nonexistent, .exists, .pending, .existsClean, .exists].enumerated() { map[index] = state }
        let header = hex("0101 08000000 0500000000000000"), entries: [UInt8] = [0x1b, 0x40]
        let sums = [CRC32C.checksum(header), CRC32C.checksum(entries)]
        let expected = hex("0e000000") + header + entries + hex("0c000000") + Encoder.encode {
            $0.u32(sums[0])
            $0.u32(1)
            $0.u32(sums[1])
        }
        #expect(map.encoded == expected)
        #expect(try ObjectMap(encoded: expected) == map)
        // Without checksums, as `object_map_load` gives it, and without a footer at all.
        #expect(try ObjectMap(encoded: hex("0e000000") + header + entries + [0, 0, 0, 0]) == map)
        #expect(try ObjectMap(encoded: hex("0e000000") + header + entries) == map)
        #expect(ObjectMap(count: 0).encoded == hex("0e000000 0101 08000000 0000000000000000 08000000")
            + Encoder.encode { $0.u32(CRC32C.checksum(hex("0101 08000000 0000000000000000"))); $0.u32(0) })
    }

    @Test(arguments: [0, 1, 3, 4, 5, 31, 32, 33, 16_383, 16_384, 16_385, 70_000]) func roundTrip(_ count: Int) throws {
        var random = SeededRandom.forRun("object map \(count)")
        let (map, states) = Self.random(count, &random)
        let bytes = map.encoded
        let blocks = (count + 16_383) / 16_384
        #expect(bytes.count == 18 + (count + 3) / 4 + 12 + 4 * blocks)
        let decoded = try ObjectMap(encoded: bytes)
        #expect(decoded == map)
        #expect((0..<count).allSatisfy { decoded[$0].rawValue == states[$0] })
    }

    @Test func everyDamagedByteIsFound() throws {
        var random = SeededRandom.forRun("damage")
        let bytes = Self.random(40_000, &random).0.encoded
        for _ in 0..<300 {
            var damaged = bytes
            damaged[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
            #expect(throws: WireError.self, "\(SeededRandom.hint)") { try ObjectMap(encoded: damaged) }
        }
        for length in [0, 3, 10, 17, 18, 100, bytes.count - 1] {
            #expect(throws: WireError.self) { try ObjectMap(encoded: Array(bytes.prefix(length))) }
        }
    }

    /// Ceph may leave something in the bits behind the last entry; it counts for the checksum, not for the map.
    @Test func unusedBits() throws {
        let header = hex("0101 08000000 0500000000000000"), entries: [UInt8] = [0x1b, 0x7f]
        let bytes = hex("0e000000") + header + entries + hex("0c000000") + Encoder.encode {
            $0.u32(CRC32C.checksum(header))
            $0.list([CRC32C.checksum(entries)]) { $0.u32($1) }
        }
        var map = try ObjectMap(encoded: bytes)
        #expect((0..<5).map { map[$0].rawValue } == [0, 1, 2, 3, 1])
        map.resize(to: 8)
        #expect((5..<8).allSatisfy { map[$0] == .nonexistent })
        #expect(map.presentCount == 4)
    }

    @Test func tooManyEntriesAreRefusedBeforeMemoryIsTaken() {
        for count in [256_000_001, UInt64.max, 1 << 62] {
            let bytes = Encoder.encode { $0.u32(14); $0.frame(version: 1, compat: 1) { $0.u64(count) } }
            #expect(throws: WireError.self) { try ObjectMap(encoded: bytes) }
        }
    }

    @Test func againstAPlainArray() {
        var random = SeededRandom.forRun("object map model")
        for round in 0..<200 {
            var (map, states) = Self.random(random.below(200), &random)
            for _ in 0..<10 {
                switch random.below(3) {
                case 0:
                    let count = random.below(200)
                    map.resize(to: count)
                    states = Array((states + Array(repeating: 0, count: 200)).prefix(count).enumerated().map { $0 < states.count ? $1 : 0 })
                case 1:
                    map.markAllClean()
                    states = states.map { $0 == 1 ? 3 : $0 }
                default:
                    guard !states.isEmpty else { continue }
                    let index = random.below(states.count)
                    states[index] = UInt8(random.below(4))
                    map[index] = ObjectState(rawValue: states[index])
                }
                #expect((0..<map.count).map { map[$0].rawValue } == states, "round \(round) \(SeededRandom.hint)")
                #expect(Array(map.present) == states.indices.filter { states[$0] != 0 }.map(UInt64.init))
                #expect(map.presentCount == states.count { $0 != 0 })
            }
        }
    }

    @Test func fills() {
        for state in [ObjectState.nonexistent, .exists, .pending, .existsClean] {
            let map = ObjectMap(count: 37, filledWith: state)
            #expect((0..<37).allSatisfy { map[$0] == state })
            var other = ObjectMap(count: 37)
            for index in 0..<37 { other[index] = state }
            #expect(map == other)
        }
    }

    @Test func memoryIsThePackedBytes() {
        let map = ObjectMap(count: 1_000_000)
        #expect(map.bytes.count == 250_000 && map.bytes.capacity < 300_000)
        #expect(map.present.isEmpty)
    }
}
