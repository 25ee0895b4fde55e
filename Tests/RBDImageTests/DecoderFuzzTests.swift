import CephCore
import RBDImage
import TestSupport
import Testing

/// Damaged input gives a typed error or a value, quickly and without taking memory for it.
@Suite struct DecoderFuzzTests {
    typealias Subject = MutationFuzz.Subject

    static let records: [Subject] = [
        .codec(SnapshotNamespace.self, Samples.userNamespace, Samples.groupNamespace, Samples.trashNamespace,
               Samples.nonPrimaryNamespace, Samples.primaryNamespace, Samples.newerNamespace, Samples.unknownNamespace),
        Subject("snapshot record", [Samples.snapshotRecord, Samples.snapshotRecordOfClone]
            + (1...8).map { ImageRecordTests.olderRecord(version: $0) }) { bytes, again in
            func decode(_ bytes: [UInt8]) throws(WireError) -> ImageSnapshot {
                try Decoder.decode(bytes) { (d) throws(WireError) in try ImageSnapshot(record: &d) }
            }
            let snapshot = try decode(bytes)
            return try !again || decode(snapshot.record) == snapshot
        },
        .codec(ParentRecord.self, Samples.parentRecord, Samples.oldParentRecord), .codec(ParentImageSpec.self, Samples.parentSpec),
        .codec(ChildImageSpec.self, Samples.childSpec, Samples.oldChildSpec), .codec(GroupSpec.self, Samples.groupSpec),
        .codec(GroupImage.self, Samples.groupImage), .codec(TrashImageSpec.self, Samples.trashSpec),
        .codec(ImageState.self, Samples.imageState), .codec(CephTime.self, hex("1c5d016b 1d47d22c")),
        Subject("state blob", [StateBlob.objects(of: Samples.imageState, chunk: 1024)[0]]) { bytes, _ in
            _ = try StateBlob.join([bytes])
            return true
        },
        Subject("object map", mapSamples) { bytes, again in
            let map = try ObjectMap(encoded: bytes)
            return try !again || ObjectMap(encoded: map.encoded) == map
        },
    ]

    static let mapSamples: [[UInt8]] = [0, 1, 5, 40].flatMap { count in
        let whole = ObjectMap(count: count, filledWith: .existsClean).encoded
        let bare = Array(whole.prefix(18 + (count + 3) / 4))
        return [whole, bare, bare + [0, 0, 0, 0]]
    }

    static let mirroring: [Subject] = [
        .codec(MirrorImage.self, Samples.mirrorImage, Samples.oldMirrorImage), .codec(MirrorPeer.self, Samples.peer, Samples.oldPeer),
        .codec(MirrorImageMapEntry.self, Samples.mapEntry), .codec(MirrorSiteStatus.self, Samples.localStatus, Samples.remoteStatus),
        .decoder(MirrorImageStatus.self, Samples.imageStatus, Samples.oldImageStatus),
        .codec(MirroringNotification.self, Samples.modeUpdated, Samples.imageUpdated), .codec(LeaderMessage.self, Samples.heartbeat),
        .codec(InstanceMessage.self, Samples.acquireImage, Samples.peerImageRemoved), .codec(InstanceReply.self, Samples.instanceReply),
        .codec(TrashNotification.self, Samples.trashAdded, Samples.trashRemoved),
    ]

    static let locks: [Subject] = [
        Subject("header notification", [
            Samples.headerUpdate, Samples.requestLock, Samples.forcedPromotion, Samples.snapshotCreateOld, Samples.rename,
            Samples.metadataUpdate, Samples.unknownNotification,
        ] + HeaderNotificationTests.all.map { HeaderNotification($0).encoded }) { bytes, again in
            let message = try HeaderNotification(encoded: bytes)
            _ = message.isForcedPromotion
            let content = try message.content()
            return try !again || HeaderNotification(content).content() == content
        },
        .codec(ResponseMessage.self, hex("0101 04000000 e2ffffff")), .decoder(LockInfo.self, lockSample),
        .decoder(EntityAddress.self, addressSample, [2, 1, 0, 0, 0] + addressSample, legacySample),
        .decoder(EntityInstance.self, hex("08 3510000000000000") + addressSample),
    ]

    static let addressSample = hex("01 0101 1c000000 03000000 39300000 10000000 0200 1a90 7f000001 0000000000000000")
    static let legacySample = hex("00 00 0000 39300000 0002 1a90 0a000102") + [UInt8](repeating: 0, count: 120)
    static let lockSample = hex("0101 5f000000 01000000 0101 13000000 08 3510000000000000 \"auto 7\" 0101 2f000000 0000000000000000")
        + addressSample + hex("\"\" 01 \"internal\"")

    static let replies: [Subject] = [
        .reply(HeaderMethod.getSize(), hex("16 0000004000000000")),
        .reply(HeaderMethod.snapshotContext(), hex("0900000000000000 02000000 0900000000000000 0400000000000000")),
        .reply(HeaderMethod.snapshotGet(4), Samples.snapshotInfo),
        .reply(HeaderMethod.metadataList(after: "", limit: 0), hex("02000000 \"a\" 01000000 ff \"b\" 00000000")),
        .reply(HeaderMethod.childrenList(of: 4), [1, 0, 0, 0] + Samples.childSpec),
        .reply(HeaderMethod.parentOverlapGet(), hex("01 0010000000000000")),
        .reply(DirectoryMethod.list(after: "", limit: 9), hex("01000000 \"vm\" \"i1\"")),
        .reply(MirroringMethod.statusList(after: "", limit: 9),
               hex("01000000 \"i1\"") + Samples.mirrorImage + hex("01000000 \"i1\"") + Samples.imageStatus),
        .reply(MirroringMethod.statusSummary(of: []), hex("02000000 04 03000000 06 01000000")),
        .reply(MirroringMethod.imageInstanceList(after: "", limit: 9), hex("01000000 \"i1\" 08 3510000000000000") + addressSample),
    ]

    @Test func samplesAreAccepted() throws {
        for subject in Self.records + Self.mirroring + Self.locks + Self.replies {
            for sample in subject.samples { #expect(try subject.accepts(sample), "\(subject.name)") }
        }
    }

    @Test func aMillionDamagedInputs() throws {
        let fuzz = MutationFuzz(Self.records + Self.mirroring + Self.locks + Self.replies)
        let outcome = try fuzz.run(cases: 1_000_000, name: "rbd-image decoders") { $0 is WireError }
        #expect(outcome.unstable.isEmpty, "\(SeededRandom.hint) \(outcome.unstable.prefix(3))")
        // Both ways are exercised: else the samples or the damage would be wrong.
        #expect(outcome.accepted > 50_000 && outcome.refused > 300_000, "\(outcome.accepted) \(outcome.refused)")
        #expect(outcome.memoryGrowth < 128 << 20, "\(outcome.memoryGrowth) bytes more")
    }

    @Test func damagedHeaders() throws {
        let keys = ImageHeaderTests.entries.sorted { $0.key < $1.key }
        let fuzz = MutationFuzz(keys.map { key, value in
            Subject(key, [value]) { bytes, _ in
                let header = try ImageHeader(id: "i", entries: keys.map { ($0.key, $0.key == key ? bytes : $0.value) })
                _ = header.layout.objectCount(forSize: header.size)
                for snapshot in header.snapshots { _ = header.layout.objectCount(forSize: snapshot.size) }
                return true
            }
        })
        let outcome = try fuzz.run(cases: 20_000, name: "image headers") { ($0 as? CephError)?.code == 74 }
        #expect(outcome.accepted > 1000 && outcome.refused > 1000)
    }
}
