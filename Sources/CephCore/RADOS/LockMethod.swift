/// Class methods of advisory locks on objects (class `lock`).
public enum LockMethod {
    /// Who may hold a lock.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let exclusive = Kind(rawValue: 1)
        public static let shared = Kind(rawValue: 2)
        /// Like exclusive; the object goes with the lock.
        public static let exclusiveEphemeral = Kind(rawValue: 3)
    }

    private static func call(_ method: String, _ body: (inout Encoder) -> Void) -> ClassCall {
        ClassCall("lock", method, input: Encoder.encode { $0.frame(version: 1, compat: 1, body) })
    }

    /// `EBUSY` when somebody else holds it, `EEXIST` when this client does.
    ///
    /// - Parameters:
    ///   - seconds: Until the lock expires; 0 for never.
    ///   - renews: Holding it already is success, and begins the time anew.
    public static func lock(
        name: String, kind: Kind, cookie: String, tag: String = "", description: String = "", seconds: UInt32 = 0,
        renews: Bool = false
    ) -> ClassCall {
        call("lock") {
            $0.string(name)
            $0.u8(kind.rawValue)
            $0.string(cookie)
            $0.string(tag)
            $0.string(description)
            $0.u32(seconds)
            $0.u32(0)
            $0.u8(renews ? 1 : 0)
        }
    }

    /// Calls `lock.unlock`.
    public static func unlock(name: String, cookie: String) -> ClassCall {
        call("unlock") {
            $0.string(name)
            $0.string(cookie)
        }
    }

    /// Calls `lock.break_lock`.
    public static func breakLock(name: String, client: UInt64, cookie: String) -> ClassCall {
        call("break_lock") {
            $0.string(name)
            $0.u8(8)
            $0.u64(client)
            $0.string(cookie)
        }
    }

    /// Calls `lock.get_info`.
    public static func getInfo(name: String) -> ClassCall { call("get_info") { $0.string(name) } }

    /// Fails with `EBUSY` unless this client holds the lock so.
    public static func assertLocked(name: String, kind: Kind, cookie: String, tag: String = "") -> ClassCall {
        call("assert_locked") {
            $0.string(name)
            $0.u8(kind.rawValue)
            $0.string(cookie)
            $0.string(tag)
        }
    }

    /// Calls `lock.set_cookie`.
    public static func setCookie(
        name: String, kind: Kind, cookie: String, tag: String = "", newCookie: String
    ) -> ClassCall {
        call("set_cookie") {
            $0.string(name)
            $0.u8(kind.rawValue)
            $0.string(cookie)
            $0.string(tag)
            $0.string(newCookie)
        }
    }
}

/// The holders of a lock.
public struct LockInfo: Hashable, Sendable, WireDecodable {
    /// One client that holds the lock.
    public struct Locker: Hashable, Sendable {
        /// Global id of the client.
        public var client: UInt64
        /// Tells several locks of one client apart; librbd's is `auto HANDLE` of its watch.
        public var cookie: String
        /// As the blocklist takes it: `127.0.0.1:0/12345`.
        public var address: String
        public var description: String
    }

    /// None when the lock is free.
    public var lockers: [Locker]
    public var kind: LockMethod.Kind
    /// What all holders must agree on; librbd's managed locks have `internal`.
    public var tag: String

    public init(from decoder: inout Decoder) throws(WireError) {
        (lockers, kind, tag) = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            let lockers = try d.list(elementsOfAtLeast: 20) { (d) throws(WireError) in try Self.locker(&d) }
            return (lockers, LockMethod.Kind(rawValue: try d.u8()), try d.string())
        }
    }

    private static func locker(_ d: inout Decoder) throws(WireError) -> Locker {
        let (client, cookie) = try d.frame(supported: 1) { (d, _) throws(WireError) in
            _ = try d.u8()
            return (try d.u64(), try d.string())
        }
        let (address, description) = try d.frame(supported: 1) { (d, _) throws(WireError) in
            _ = try d.u32()
            _ = try d.u32()
            return (try EntityAddress(from: &d), try d.string())
        }
        return Locker(client: client, cookie: cookie, address: address.description, description: description)
    }
}
