import CephCore
import TestSupport
import Testing

@Suite struct WireLockTests {
    @Test func payloads() {
        let expected: [(ClassCall, String, String)] = [
            (LockMethod.lock(name: "rbd_lock", kind: .exclusive, cookie: "auto 7", tag: "internal"), "lock",
             "0101 30000000 \"rbd_lock\" 01 \"auto 7\" \"internal\" \"\" 0000000000000000 00"),
            (LockMethod.lock(name: "l", kind: .shared, cookie: "c", description: "d", seconds: 30, renews: true), "lock",
             "0101 1d000000 \"l\" 02 \"c\" \"\" \"d\" 1e00000000000000 01"),
            (LockMethod.unlock(name: "rbd_lock", cookie: "auto 7"), "unlock", "0101 16000000 \"rbd_lock\" \"auto 7\""),
            (LockMethod.breakLock(name: "rbd_lock", client: 4149, cookie: "auto 7"), "break_lock",
             "0101 1f000000 \"rbd_lock\" 08 3510000000000000 \"auto 7\""),
            (LockMethod.getInfo(name: "rbd_lock"), "get_info", "0101 0c000000 \"rbd_lock\""),
            (LockMethod.assertLocked(name: "rbd_lock", kind: .exclusive, cookie: "auto 7", tag: "internal"), "assert_locked",
             "0101 23000000 \"rbd_lock\" 01 \"auto 7\" \"internal\""),
            (LockMethod.setCookie(name: "rbd_lock", kind: .exclusive, cookie: "auto 7", tag: "internal", newCookie: "auto 8"),
             "set_cookie", "0101 2d000000 \"rbd_lock\" 01 \"auto 7\" \"internal\" \"auto 8\""),
        ]
        for (call, method, input) in expected {
            #expect(call.className == "lock" && call.method == method)
            #expect(call.input == hex(input), "\(method)")
        }
    }

    /// One holder at the given address.
    static func info(_ address: [UInt8]) -> [UInt8] {
        let holder = hex("0101 13000000 08 3510000000000000 \"auto 7\"")
        let length = UInt8(8 + address.count + 4)
        let details = [1, 1, length, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + address + [0, 0, 0, 0]
        let body = [1, 0, 0, 0] + holder + details + hex("01 \"internal\"")
        return [1, 1, UInt8(body.count), 0, 0, 0] + body
    }

    @Test(arguments: [
        (WireAddressTests.v4, "127.0.0.1:6800/12345"), (WireAddressTests.v6, "[2001:db8::1]:6800/12345"),
        (WireAddressTests.legacy, "10.0.1.2:6800/12345"),
    ])
    func holders(_ address: [UInt8], _ text: String) throws {
        let info = try LockInfo(encoded: Self.info(address))
        #expect(info.kind == .exclusive && info.tag == "internal")
        let holder = try #require(info.lockers.first)
        #expect(info.lockers.count == 1 && holder.client == 4149 && holder.cookie == "auto 7" && holder.address == text)
    }

    @Test func nobody() throws {
        let info = try LockInfo(encoded: hex("0101 09000000 00000000 00 \"\""))
        #expect(info.lockers.isEmpty && info.kind.rawValue == 0 && info.tag.isEmpty)
    }

    @Test func queriesIgnoreWhatIsAppendedAndNameTheMethod() throws {
        let query = ClassQuery(ClassCall("rbd", "get_size")) { (d) throws(WireError) in try d.u64() }
        #expect(try query.decode([5, 0, 0, 0, 0, 0, 0, 0, 99]) == 5)
        #expect(throws: WireError(.truncated, at: 0, in: "get_size")) { try query.decode([5]) }
    }
}
