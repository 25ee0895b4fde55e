import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct ImageStateTests {
    static let state = ImageState(
        name: "vm", features: ImageFeatures(rawValue: 0x2d), snapshots: [4: .init(name: "s1", protection: .protected)],
        metadata: ["k": Array("v".utf8)])

    @Test func golden() throws {
        #expect(Self.state.encoded == Samples.imageState)
        #expect(try ImageState(encoded: Samples.imageState) == Self.state)
    }

    /// The header takes 10 bytes; a blob that ends with a chunk has one empty object more.
    @Test(arguments: [(0, 1), (1, 1), (89, 1), (90, 2), (91, 2), (189, 2), (190, 3), (1000, 11)])
    func chunks(_ size: Int, _ count: Int) throws {
        let state = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let objects = StateBlob.objects(of: state, chunk: 100)
        #expect(objects.count == count)
        #expect(objects.dropLast().allSatisfy { $0.count == 100 })
        #expect(Array(objects[0].prefix(10)) == hex("0101 04000000") + [UInt8(count), 0, 0, 0])
        #expect(try StateBlob.join(objects) == state)
    }

    @Test func damagedBlobs() {
        let objects = StateBlob.objects(of: [UInt8](repeating: 7, count: 500), chunk: 100)
        #expect(throws: WireError.self) { try StateBlob.join(objects.dropLast()) }
        #expect(throws: WireError.self) { try StateBlob.join([]) }
        #expect(throws: WireError.self) { try StateBlob.begin(hex("0101 04000000 00000000")) }
        #expect(throws: WireError.self) { try StateBlob.begin(hex("0101 04000000 000000")) }
    }
}
