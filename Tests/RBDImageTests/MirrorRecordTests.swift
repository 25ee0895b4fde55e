import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct MirrorRecordTests {
    static let time = ImageRecordTests.time

    @Test func images() throws {
        let image = MirrorImage(globalID: Samples.uuidA, state: .enabled, mode: .snapshot)
        #expect(image.encoded == Samples.mirrorImage)
        #expect(try MirrorImage(encoded: Samples.mirrorImage) == image)
        #expect(try MirrorImage(encoded: Samples.oldMirrorImage)
            == MirrorImage(globalID: Samples.uuidA, state: .enabled, mode: .journal))
    }

    @Test func peers() throws {
        let peer = MirrorPeer(
            uuid: Samples.uuidA, siteName: "site-B", clientName: "client.rbd-mirror-peer", direction: .both,
            mirrorUUID: Samples.uuidB, lastSeen: Self.time)
        #expect(peer.encoded == Samples.peer)
        #expect(try MirrorPeer(encoded: Samples.peer) == peer)
        let old = try MirrorPeer(encoded: Samples.oldPeer)
        #expect(old.siteName == "site-B" && old.mirrorUUID.isEmpty)
    }

    @Test func mapEntries() throws {
        let entry = MirrorImageMapEntry(instanceID: "4157", mappedTime: Self.time)
        #expect(entry.encoded == Samples.mapEntry)
        #expect(try MirrorImageMapEntry(encoded: Samples.mapEntry) == entry)
    }

    @Test func statuses() throws {
        let local = MirrorSiteStatus(state: .replaying, description: "idle", lastUpdate: Self.time)
        let remote = MirrorSiteStatus(
            mirrorUUID: Samples.uuidB, state: .stopped, description: "idle", lastUpdate: Self.time, isUp: false)
        #expect(local.encoded == Samples.localStatus)
        #expect(remote.encoded == Samples.remoteStatus)
        #expect(try MirrorSiteStatus(encoded: Samples.localStatus) == local)
        #expect(try MirrorSiteStatus(encoded: Samples.remoteStatus) == remote)
        let all = try MirrorImageStatus(encoded: Samples.imageStatus)
        #expect(all.local == local)
        #expect(all.peers == [MirrorSiteStatus(
            mirrorUUID: Samples.uuidB, state: .stopped, description: "", lastUpdate: CephTime(seconds: Self.time.seconds),
            isUp: false)])
        let old = try MirrorImageStatus(encoded: Samples.oldImageStatus)
        #expect(old.local == local && old.peers.isEmpty)
    }

    @Test func noLocalStatus() throws {
        let bytes = hex("0201 13000000 00 \"\" 0000000000000000 00 00 00000000")
        let status = try MirrorImageStatus(encoded: bytes)
        #expect(status.local == nil && status.peers.isEmpty)
    }

    @Test func notifications() throws {
        let golden: [(MirroringNotification, [UInt8])] = [
            (.modeUpdated(.pool), Samples.modeUpdated),
            (.imageUpdated(.enabled, id: "1036c63195ab", globalID: Samples.uuidA), Samples.imageUpdated),
        ]
        for (value, bytes) in golden {
            #expect(value.encoded == bytes)
            #expect(try MirroringNotification(encoded: bytes) == value)
        }
        #expect(try MirroringNotification(encoded: hex("0101 08000000 09000000 00000000")) == .unknown(9))
    }

    @Test func leaderMessages() throws {
        #expect(LeaderMessage.heartbeat.encoded == Samples.heartbeat)
        #expect(try LeaderMessage(encoded: hex("0101 04000000 02000000")) == .lockReleased)
    }

    @Test func mailbox() throws {
        let golden: [(InstanceMessage, [UInt8])] = [
            (InstanceMessage(requestID: 15, .acquireImage(globalID: Samples.uuidA)), Samples.acquireImage),
            (InstanceMessage(requestID: 16, .peerImageRemoved(globalID: Samples.uuidA, mirrorUUID: Samples.uuidB)),
             Samples.peerImageRemoved),
            (InstanceMessage(requestID: 1, .releaseImage(globalID: "g")), hex("0202 11000000 01000000 0100000000000000 \"g\"")),
            (InstanceMessage(requestID: 1, .requestSync(id: "i")), hex("0202 11000000 03000000 0100000000000000 \"i\"")),
            (InstanceMessage(requestID: 1, .startSync(id: "i")), hex("0202 11000000 04000000 0100000000000000 \"i\"")),
            (InstanceMessage(requestID: 1, .unknown(operation: 7, body: [5])), hex("0202 0d000000 07000000 0100000000000000 05")),
        ]
        for (value, bytes) in golden {
            #expect(value.encoded == bytes)
            #expect(try InstanceMessage(encoded: bytes) == value)
        }
        let reply = InstanceReply(instanceID: "4157", requestID: 15, result: -116)
        #expect(reply.encoded == Samples.instanceReply)
        #expect(try InstanceReply(encoded: Samples.instanceReply) == reply)
    }
}
