import TestSupport

/// Encodings as Ceph 16.2 writes them, and some of other releases.
enum Samples {
    static let uuidA = "4f931f32-6cb3-4828-8c73-08637b21d9aa"
    static let uuidB = "1308cf05-e791-49ee-a552-bce760ac7cc2"

    // MARK: Namespaces

    static let userNamespace = hex("0101 04000000 00000000")
    static let groupNamespace = hex("0101 1d000000 01000000 0500000000000000 \"gid\" \"snap-1\"")
    static let trashNamespace = hex("0101 0e000000 02000000 \"s1\" 00000000")
    static let nonPrimaryNamespace = hex("""
        0101 48000000 03000000 02 00 00000000 "uuid-a" 0900000000000000 0300000000000000
        02000000 0400000000000000 0c00000000000000 0900000000000000 feffffffffffffff
        """)
    static let primaryNamespace = hex("""
        0101 36000000 03000000 00 01 02000000 "peer-1" "peer-2" "" feffffffffffffff 0000000000000000 00000000
        """)
    /// Of a newer release: more fields behind those that are known.
    static let newerNamespace = hex("""
        0201 62000000 03000000 02 00 00000000 "uuid-a" 0900000000000000 0300000000000000
        02000000 0400000000000000 0c00000000000000 0900000000000000 feffffffffffffff
        0101 0c000000 ffffffffffffffff "" feffffffffffffff
        """)
    static let unknownNamespace = hex("0101 07000000 09000000 aabbcc")

    // MARK: Image records

    static let snapshotRecord = hex("""
        0808 36000000 0400000000000000 "s1" 0000000100000000 00 0000000000000000
        0101 04000000 00000000 1c5d016b 1d47d22c 00000000 00
        """)
    static let snapshotRecordOfClone = hex("""
        0808 3e000000 0400000000000000 "s1" 0000000100000000 02 0300000000000000
        0101 04000000 00000000 1c5d016b 1d47d22c 05000000 01 0000400000000000
        """)
    static let snapshotInfo = hex("""
        0101 2c000000 0400000000000000 0101 04000000 00000000 "s1" 0000000100000000 1c5d016b 1d47d22c 05000000
        """)
    static let parentRecord = hex(
        "0202 2e000000 0200000000000000 \"ns\" \"1036c631957\" 0400000000000000 01 0000400000000000")
    static let oldParentRecord = hex("0101 27000000 0200000000000000 \"1036c631957\" 0400000000000000 0000400000000000")
    static let parentSpec = hex("0101 25000000 0200000000000000 \"ns\" \"1036c631957\" 0400000000000000")
    static let childSpec = hex("0201 1d000000 0200000000000000 \"1036c631957\" \"ns\"")
    static let oldChildSpec = hex("0101 17000000 0200000000000000 \"1036c631957\"")
    static let groupSpec = hex("0101 0f000000 0200000000000000 \"gid\"")
    static let groupImage = hex("0101 1e000000 0101 17000000 \"1036c631957\" 0200000000000000 01")
    static let trashSpec = hex("0201 18000000 01 \"vm\" 1c5d016b 00000000 1d5d016b 00000000 02")
    static let trashAdded = hex("0101 28000000 00000000 \"i1\" 0201 18000000 01 \"vm\" 1c5d016b 00000000 1d5d016b 00000000 02")
    static let trashRemoved = hex("0101 0a000000 01000000 \"i1\"")
    static let imageState = hex("""
        0101 47000000 "vm" 2d00000000000000 ffffffffffffffff
        01000000 0400000000000000 0101 11000000 0101 04000000 00000000 "s1" 02
        01000000 "k" "v"
        """)

    // MARK: Mirroring

    static let mirrorImage = hex("0201 2a000000 \"\(uuidA)\" 01 01")
    static let oldMirrorImage = hex("0101 29000000 \"\(uuidA)\" 01")
    static let peer = hex("""
        0201 85000000 "\(uuidA)" "site-B" "client.rbd-mirror-peer" ffffffffffffffff 02 "\(uuidB)" 1c5d016b 1d47d22c
        """)
    static let oldPeer = hex("0101 54000000 \"\(uuidA)\" \"site-B\" \"client.rbd-mirror-peer\" ffffffffffffffff")
    static let mapEntry = hex("0101 1e000000 \"4157\" 1c5d016b 1d47d22c 0a000000 0101 04000000 00000000")
    static let localStatus = hex("0101 12000000 04 \"idle\" 1c5d016b 1d47d22c 01")
    static let remoteStatus = hex("0202 3a000000 \"\(uuidB)\" 06 \"idle\" 1c5d016b 1d47d22c 00")
    static let imageStatus = hex("""
        0201 4d000000 04 "idle" 1c5d016b 1d47d22c 01 01 01000000 "\(uuidB)" 06 "" 1c5d016b 00000000 00
        """)
    static let oldImageStatus = hex("0101 12000000 04 \"idle\" 1c5d016b 1d47d22c 01")
    static let modeUpdated = hex("0101 08000000 00000000 02000000")
    static let imageUpdated = hex("0101 40000000 01000000 01000000 \"1036c63195ab\" \"\(uuidA)\"")
    static let heartbeat = hex("0101 04000000 00000000")
    static let acquireImage = hex("0202 34000000 00000000 0f00000000000000 \"\(uuidA)\"")
    static let peerImageRemoved = hex("0202 5c000000 02000000 1000000000000000 \"\(uuidA)\" \"\(uuidB)\"")
    static let instanceReply = hex("\"4157\" 0f00000000000000 8cffffff")

    // MARK: Header notifications

    static let headerUpdate = hex("07 01 04000000 03000000")
    static let requestLock = hex("0701 15000000 02000000 3510000000000000 0700000000000000 01")
    /// A forced promotion as the lock's owner sees it.
    static let forcedPromotion = hex("""
        0701 ad000000 08000000 ".mirror.non_primary.\(uuidA).\(uuidB)"
        0101 22000000 03000000 02 01 00000000 "" feffffffffffffff 0000000000000000 00000000
        3510000000000000 0700000000000000 0900000000000000 0000000000000000
        """)
    static let snapshotCreateOld = hex("0501 14000000 08000000 \"s1\" 0101 04000000 00000000")
    static let rename = hex("0701 23000000 0e000000 \"vm2\" 3510000000000000 0700000000000000 0900000000000000")
    static let metadataUpdate = hex("""
        0701 27000000 14000000 "k" 01 "v" 3510000000000000 0700000000000000 0900000000000000
        """)
    static let unknownNotification = hex("0801 08000000 63000000 01020304")
}
