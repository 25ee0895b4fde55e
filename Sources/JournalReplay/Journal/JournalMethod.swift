public import CephCore

/// Class methods of a journal's objects.
public enum JournalMethod {
    private static func call(_ method: String, _ body: (inout Encoder) -> Void = { _ in }) -> ClassCall {
        ClassCall("journal", method, input: Encoder.encode(body))
    }

    private static func query<Reply>(
        _ method: String, _ body: (inout Encoder) -> Void = { _ in },
        reply: @escaping @Sendable (inout Decoder) throws(WireError) -> Reply
    ) -> ClassQuery<Reply> {
        ClassQuery(call(method, body), reply)
    }

    // MARK: Geometry

    /// `EEXIST` for a header that is one. The class checks nothing: see ``JournalGeometry/isValid``.
    public static func create(_ geometry: JournalGeometry) -> ClassCall {
        call("create") {
            $0.u8(geometry.order)
            $0.u8(geometry.splayWidth)
            $0.i64(geometry.dataPool ?? -1)
        }
    }

    /// Calls `get_order`; `ENOENT` without a journal, as all that read the header.
    public static func order() -> ClassQuery<UInt8> { query("get_order") { (d) throws(WireError) in try d.u8() } }

    /// Calls `get_splay_width`.
    public static func splayWidth() -> ClassQuery<UInt8> { query("get_splay_width") { (d) throws(WireError) in try d.u8() } }

    /// Calls `get_pool_id`; nil for the header's own.
    public static func dataPool() -> ClassQuery<Int64?> {
        query("get_pool_id") { (d) throws(WireError) in
            let id = try d.i64()
            return id < 0 ? nil : id
        }
    }

    // MARK: Object sets

    /// Calls `get_minimum_set`: older ones are gone.
    public static func minimumSet() -> ClassQuery<UInt64> { query("get_minimum_set") { (d) throws(WireError) in try d.u64() } }

    /// `ESTALE` for a lower one than there is, `EINVAL` beyond the active one.
    public static func setMinimumSet(_ set: UInt64) -> ClassCall { call("set_minimum_set") { $0.u64(set) } }

    /// Calls `get_active_set`: the one that is written.
    public static func activeSet() -> ClassQuery<UInt64> { query("get_active_set") { (d) throws(WireError) in try d.u64() } }

    /// `ESTALE` for a lower one than there is.
    public static func setActiveSet(_ set: UInt64) -> ClassCall { call("set_active_set") { $0.u64(set) } }
}

/// Clients.
extension JournalMethod {
    /// Calls `get_client`; `ENOENT` for nobody.
    public static func client(_ id: String) -> ClassQuery<JournalClient> {
        query("get_client", { $0.string(id) }) { (d) throws(WireError) in try JournalClient(from: &d) }
    }

    /// Calls `client_list`: ascending by id.
    ///
    /// - Parameter after: An id; empty from the beginning, the image's own included.
    public static func clients(after: String, limit: UInt64) -> ClassQuery<[JournalClient]> {
        query("client_list", {
            $0.string(after)
            $0.u64(limit)
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 25) { (d) throws(WireError) in try JournalClient(from: &d) }
        }
    }

    /// `EEXIST` for a known one. The client starts where the slowest connected one is.
    public static func clientRegister(_ id: String, data: [UInt8]) -> ClassCall {
        call("client_register") {
            $0.string(id)
            $0.blob(data)
        }
    }

    /// Calls `client_update_data`.
    public static func clientUpdate(_ id: String, data: [UInt8]) -> ClassCall {
        call("client_update_data") {
            $0.string(id)
            $0.blob(data)
        }
    }

    /// Calls `client_update_state`.
    public static func clientUpdate(_ id: String, state: JournalClient.State) -> ClassCall {
        call("client_update_state") {
            $0.string(id)
            $0.u8(state.rawValue)
        }
    }

    /// Tags that nobody needs any more go too.
    public static func clientUnregister(_ id: String) -> ClassCall { call("client_unregister") { $0.string(id) } }

    /// `EINVAL` for more positions than the journal is wide. Nothing else is checked: an older position is taken too.
    public static func clientCommit(_ id: String, _ position: JournalCommitPosition) -> ClassCall {
        call("client_commit") {
            $0.string(id)
            position.encode(into: &$0)
        }
    }
}

/// Tags.
extension JournalMethod {
    /// Calls `get_next_tag_tid`.
    public static func nextTag() -> ClassQuery<UInt64> { query("get_next_tag_tid") { (d) throws(WireError) in try d.u64() } }

    /// Calls `get_tag`; `ENOENT` for one that is not there.
    public static func tag(_ id: UInt64) -> ClassQuery<JournalTag> {
        query("get_tag", { $0.u64(id) }) { (d) throws(WireError) in try JournalTag(from: &d) }
    }

    /// `ESTALE` when it is not the next one.
    ///
    /// - Parameter tagClass: Nil for a new one.
    public static func tagCreate(_ id: UInt64, tagClass: UInt64?, data: [UInt8]) -> ClassCall {
        call("tag_create") {
            $0.u64(id)
            $0.u64(tagClass ?? .max)
            $0.blob(data)
        }
    }

    /// Calls `tag_list`: ascending, without those that the client has left behind.
    ///
    /// - Parameters:
    ///   - after: A tag; 0 for all of them, tag 0 included.
    ///   - client: A registered one, else `ENOENT`.
    ///   - tagClass: Nil for all.
    public static func tags(after: UInt64, limit: UInt64, client: String, tagClass: UInt64? = nil) -> ClassQuery<[JournalTag]> {
        query("tag_list", {
            $0.u64(after)
            $0.u64(limit)
            $0.string(client)
            $0.optional(tagClass) { $0.u64($1) }
        }) { (d) throws(WireError) in
            try d.list(elementsOfAtLeast: 26) { (d) throws(WireError) in try JournalTag(from: &d) }
        }
    }
}

/// Data objects.
extension JournalMethod {
    /// `EOVERFLOW` for an object that has that many bytes already. The store may pad what is appended.
    public static func append(_ bytes: [UInt8], limit: UInt64) -> ClassCall {
        call("append") {
            $0.u64(limit)
            $0.blob(bytes)
        }
    }

    /// In front of a plain append, for OSDs older than Octopus.
    public static func guardAppend(limit: UInt64) -> ClassCall { call("guard_append") { $0.u64(limit) } }
}
