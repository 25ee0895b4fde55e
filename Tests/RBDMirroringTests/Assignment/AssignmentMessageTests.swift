import CephCore
import RBDMirroring
import Testing

@Suite struct AssignmentMessageTests {
    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter(\.isHexDigit).map { UInt8($0.hexDigitValue!) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test func leaderMessagesAreStocks() throws {
        #expect(LeaderMessage.heartbeat.encoded == bytes("0101 04000000 00000000"))
        #expect(LeaderMessage.acquired.encoded == bytes("0101 04000000 01000000"))
        #expect(LeaderMessage.released.encoded == bytes("0101 04000000 02000000"))
        // A newer release may append fields and add operations.
        #expect(try LeaderMessage(encoded: bytes("0201 05000000 07000000 ff")) == LeaderMessage(rawValue: 7))
    }

    @Test func anAcquireIsStocks() throws {
        let gid = "6c5ad9f0-5c0b-4fb4-a4ae-0d5a1a3f4b7e"
        let encoded = bytes("0202 34000000 00000000 0f00000000000000 24000000") + Array(gid.utf8)
        let request = InstanceRequest(id: 15, body: .acquireImage(gid))
        #expect(request.encoded == encoded)
        #expect(try InstanceRequest(encoded: encoded) == request)
    }

    @Test(arguments: [
        (InstanceRequest.Body.acquireImage("a"), UInt8(0)), (.releaseImage("b"), 1), (.peerRemovedImage("c", mirrorUUID: "u"), 2),
        (.requestSync("d"), 3), (.startSync("e"), 4), (.unknown(9), 9),
    ])
    func requestsComeBack(_ body: InstanceRequest.Body, _ operation: UInt8) throws {
        let request = InstanceRequest(id: .max - 1, body: body)
        #expect(request.encoded[6] == operation)
        #expect(try InstanceRequest(encoded: request.encoded) == request)
    }

    @Test func answersAreUnframed() throws {
        let reply = InstanceReply(requester: "4157", requestID: 3, result: -116)
        #expect(reply.encoded == bytes("04000000 34313537 0300000000000000 8cffffff"))
        #expect(try InstanceReply(encoded: reply.encoded) == reply)
    }

    @Test func hostileBytesAreErrors() {
        var random = Seeded(state: 7)
        let good = [
            InstanceRequest(id: 1, body: .peerRemovedImage("image", mirrorUUID: "uuid")).encoded, LeaderMessage.acquired.encoded,
            InstanceReply(requester: "1", requestID: 1, result: 0).encoded,
        ]
        var refused = 0
        for _ in 0..<3000 {
            var bytes = good.randomElement(using: &random)!
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            if (try? InstanceRequest(encoded: bytes)) == nil { refused += 1 }
            if (try? LeaderMessage(encoded: bytes)) == nil { refused += 1 }
            if (try? InstanceReply(encoded: bytes)) == nil { refused += 1 }
        }
        #expect(refused > 3000)
        #expect(throws: WireError.self) { try InstanceRequest(encoded: []) }
        #expect(throws: WireError.self) { try LeaderMessage(encoded: bytes("0902 04000000 00000000")) }
    }
}

@Suite struct AssignmentRequestLedgerTests {
    private typealias Ledger = RequestLedger<String>
    private func key(_ instance: String, _ id: UInt64) -> RequestLedger<String>.Key { .init(instance: instance, requestID: id) }

    @Test func theNewestTicketGetsTheAnswer() {
        var ledger = Ledger()
        #expect(ledger.arrived(key("a", 1), "first") == .new)
        #expect(ledger.arrived(key("b", 1), "other") == .new, "numbers are each sender's own")
        #expect(ledger.arrived(key("a", 1), "second") == .repeated)
        #expect(ledger.finished(key("a", 1), result: -5) == "second")
        #expect(ledger.finished(key("a", 1), result: 0) == nil)
        #expect(ledger.arrived(key("a", 1), "third") == .answered(-5))
        #expect(ledger.count == 1)
    }

    @Test func onlySoManyAnswersAreKept() {
        var ledger = Ledger(capacity: 3)
        for id in UInt64(1)...5 {
            _ = ledger.arrived(key("a", id), "")
            _ = ledger.finished(key("a", id), result: Int32(id))
        }
        #expect((1...5).map { ledger.arrived(key("a", $0), "") } == [.new, .new, .answered(3), .answered(4), .answered(5)])
    }
}

@Suite struct AssignmentSyncSlotsTests {
    private func sync(_ instance: String, _ id: Int, _ namespace: String = "") -> SyncSlots.Sync {
        .init(instance: instance, namespace: namespace, id: "\(id)")
    }

    @Test func soManyAtOnceInOrder() {
        var slots = SyncSlots(limit: 5)
        #expect((1...8).map { slots.request(sync("a", $0)) } == [.granted, .granted, .granted, .granted, .granted, .queued, .queued, .queued])
        #expect(slots.ended(sync("a", 2)) == [sync("a", 6)])
        #expect(slots.ended(sync("a", 7)) == [], "given up while waiting")
        #expect(slots.ended(sync("a", 1)) == [sync("a", 8)])
        #expect(slots.ended(sync("a", 99)) == [])
        #expect(slots.running.count == 5 && slots.queue.isEmpty)
    }

    @Test func repeatedRequestsTakeNoSecondSlot() {
        var slots = SyncSlots(limit: 1)
        #expect(slots.request(sync("a", 1)) == .granted)
        #expect(slots.request(sync("a", 1)) == .running)
        #expect(slots.request(sync("a", 1, "ns")) == .queued, "another namespace's image")
        #expect(slots.request(sync("a", 1, "ns")) == .queued)
        #expect(slots.ended(sync("a", 1)) == [sync("a", 1, "ns")])
        #expect(slots.ended(sync("a", 1, "ns")) == [] && slots.running.isEmpty)
    }

    @Test func aDaemonThatIsGoneHoldsNothing() {
        var slots = SyncSlots(limit: 2)
        for id in 1...3 { _ = slots.request(sync("a", id)) }
        for id in 4...6 { _ = slots.request(sync("b", id)) }
        #expect(slots.removed(instance: "a") == [sync("b", 4), sync("b", 5)])
        #expect(slots.queue == [sync("b", 6)])
    }
}
