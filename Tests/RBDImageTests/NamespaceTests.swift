import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct NamespaceTests {
    static let nonPrimary = SnapshotNamespace.mirror(MirrorSnapshot(
        state: .nonPrimary, primaryMirrorUUID: "uuid-a", primarySnapshotID: 9, lastCopiedObject: 3,
        snapshotIDs: [4: 12, 9: headSnapshotID]))

    static let known: [(SnapshotNamespace, [UInt8])] = [
        (.user, Samples.userNamespace),
        (.group(GroupSnapshot(pool: 5, group: "gid", snapshot: "snap-1")), Samples.groupNamespace),
        (.trash(originalName: "s1", originalType: 0), Samples.trashNamespace),
        (nonPrimary, Samples.nonPrimaryNamespace),
        (.mirror(MirrorSnapshot(state: .primary, complete: true, peers: ["peer-2", "peer-1"])), Samples.primaryNamespace),
        (.unknown(type: 9, body: [0xaa, 0xbb, 0xcc]), Samples.unknownNamespace),
    ]

    @Test(arguments: known.indices) func golden(_ index: Int) throws {
        let (value, bytes) = Self.known[index]
        #expect(value.encoded == bytes)
        #expect(try SnapshotNamespace(encoded: bytes) == value)
    }

    @Test func fieldsOfNewerReleasesAreSkipped() throws {
        #expect(try SnapshotNamespace(encoded: Samples.newerNamespace) == Self.nonPrimary)
    }

    @Test func textIsOrderedByItsBytes() {
        // U+FF5E comes after U+1F600 in UTF-16, before it in UTF-8.
        let peers: Set<String> = ["\u{1F600}", "\u{FF5E}", "z", "Z", ""]
        let bytes = SnapshotNamespace.mirror(MirrorSnapshot(state: .primary, peers: peers)).encoded
        let expected = hex("05000000 \"\" \"Z\" \"z\" \"\u{FF5E}\" \"\u{1F600}\"")
        #expect(Array(bytes[12..<12 + expected.count]) == expected)
    }

    @Test func states() {
        #expect([0, 1, 2, 3, 4].map { MirrorSnapshot.State(rawValue: $0).isDemoted } == [false, true, false, true, false])
        #expect([0, 1, 2, 3, 4].map { MirrorSnapshot.State(rawValue: $0).isPrimary } == [true, true, false, false, false])
        let orphan = MirrorSnapshot(state: .nonPrimary, complete: true)
        #expect(orphan.isOrphan)
        #expect(!MirrorSnapshot(state: .nonPrimary, primaryMirrorUUID: "u").isOrphan)
        #expect(!MirrorSnapshot(state: .primary).isOrphan)
        #expect(!MirrorSnapshot(state: .nonPrimary, primarySnapshotID: 4).isOrphan)
    }
}
