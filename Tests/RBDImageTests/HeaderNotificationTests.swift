import CephCore
import RBDImage
import TestSupport
import Testing

@Suite struct HeaderNotificationTests {
    static let client = HeaderNotification.Client(globalID: 4149, handle: 7)
    static let request = HeaderNotification.Request(client: client, id: 9)

    static let all: [HeaderNotification.Content] = [
        .acquiredLock(client), .releasedLock(client), .requestLock(client, force: true), .headerUpdate,
        .asyncProgress(request, done: 1, total: 2), .asyncComplete(request, result: -5), .flatten(request),
        .resize(size: 1 << 30, allowShrink: true, request),
        .snapshotCreate(name: "s", .user, flags: 1, request), .snapshotRemove(name: "s", .user, request),
        .rebuildObjectMap(request), .snapshotRename(id: 4, name: "s2", .user, request),
        .snapshotProtect(name: "s", .user, request), .snapshotUnprotect(name: "s", .user, request),
        .rename(to: "vm2", request), .updateFeatures([.objectMap], enabled: false, request), .migrate(request),
        .sparsify(request, size: 4096), .quiesce(request), .unquiesce(request),
        .metadataUpdate(key: "k", value: nil, request), .unknown(.init(rawValue: 99), body: [1, 2]),
    ]

    @Test func operationsAreNumberedAsCephDoes() {
        #expect(Self.all.dropLast().map(\.operation.rawValue) == Array(0...20))
    }

    @Test(arguments: all) func roundTrip(_ content: HeaderNotification.Content) throws {
        let message = try HeaderNotification(encoded: HeaderNotification(content).encoded)
        #expect(message.operation == content.operation && message.version == 7)
        #expect(try message.content() == content)
    }

    @Test func golden() throws {
        #expect(HeaderNotification.headerUpdate.encoded == Samples.headerUpdate)
        #expect(HeaderNotification(.requestLock(Self.client, force: true)).encoded == Samples.requestLock)
        #expect(HeaderNotification(.rename(to: "vm2", Self.request)).encoded == Samples.rename)
        #expect(HeaderNotification(.metadataUpdate(key: "k", value: "v", Self.request)).encoded == Samples.metadataUpdate)
        let unknown = try HeaderNotification(encoded: Samples.unknownNotification)
        #expect(try unknown.content() == .unknown(.init(rawValue: 99), body: [1, 2, 3, 4]))
        #expect(unknown.encoded == Samples.unknownNotification)
    }

    @Test func forcedPromotionIsRecognised() throws {
        // Seen live with 191 bytes: 12 of them are the notification's own.
        #expect(Samples.forcedPromotion.count == 191 - 12)
        let message = try HeaderNotification(encoded: Samples.forcedPromotion)
        #expect(message.isForcedPromotion)
        let orphan = MirrorSnapshot(state: .nonPrimary, complete: true)
        let name = ".mirror.non_primary.\(Samples.uuidA).\(Samples.uuidB)"
        #expect(try message.content() == .snapshotCreate(name: name, .mirror(orphan), flags: 0, Self.request))
        #expect(message.encoded == Samples.forcedPromotion)
        let ordinary = HeaderNotification(.snapshotCreate(name: "s", .user, flags: 0, Self.request))
        #expect(ordinary.requestedSnapshot == .user && !ordinary.isForcedPromotion)
        #expect(HeaderNotification.headerUpdate.requestedSnapshot == nil)
    }

    @Test func olderVersionsSendLess() throws {
        let create = try HeaderNotification(encoded: Samples.snapshotCreateOld)
        #expect(try create.content() == .snapshotCreate(name: "s1", .user, flags: 0, .none))
        func content(_ operation: HeaderNotification.Operation, _ version: UInt8, _ body: String) throws -> HeaderNotification.Content {
            try HeaderNotification(operation: operation, body: hex(body), version: version).content()
        }
        #expect(try content(.requestLock, 2, "3510000000000000 0700000000000000") == .requestLock(Self.client, force: false))
        #expect(try content(.acquiredLock, 1, "") == .acquiredLock(.init(globalID: 0, handle: 0)))
        #expect(try content(.snapshotCreate, 4, "\"s1\"") == .snapshotCreate(name: "s1", .user, flags: 0, .none))
        #expect(try content(.snapshotRemove, 5, "\"s1\"") == .snapshotRemove(name: "s1", .user, .none))
        #expect(try content(.resize, 3, "0010000000000000 3510000000000000 0700000000000000 0900000000000000")
            == .resize(size: 4096, allowShrink: true, Self.request))
        #expect(try content(.rename, 6, "\"vm2\"") == .rename(to: "vm2", .none))
    }

    @Test func damagedBodies() {
        let message = HeaderNotification(operation: .snapshotCreate, body: hex("\"s1\" 0101 ff000000"))
        #expect(throws: WireError.self) { try message.content() }
        #expect(message.requestedSnapshot == nil)
    }

    @Test func responses() throws {
        #expect(ResponseMessage(result: -30).encoded == hex("0101 04000000 e2ffffff"))
        #expect(try ResponseMessage(encoded: hex("0101 04000000 00000000")).result == 0)
    }
}
