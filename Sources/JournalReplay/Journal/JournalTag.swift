public import CephCore

/// An epoch of a journal: who had the image's lock, and which epoch it continues.
public struct JournalTag: Hashable, Sendable, Identifiable {
    /// In the order of the journal.
    public var id: UInt64
    /// One for all tags of an image.
    public var tagClass: UInt64
    public var data: [UInt8]

    public init(id: UInt64, tagClass: UInt64, data: [UInt8]) { (self.id, self.tagClass, self.data) = (id, tagClass, data) }

    /// Whose epoch it is.
    ///
    /// - Throws: ``WireError`` for a tag of another kind of journal.
    public func epoch() throws(WireError) -> JournalEpoch { try JournalEpoch(encoded: data) }
}

/// What the tag of an image's journal says.
public struct JournalEpoch: Hashable, Sendable {
    /// A site, as tags name it.
    public struct Owner: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The cluster that the journal is on: the image is primary there.
        public static let local = Owner(rawValue: "")
        /// Nobody: demoted.
        public static let orphan = Owner(rawValue: "<orphan>")
        /// The pool with that mirror uuid: the journal's image is a replica of it.
        public static func site(_ mirrorUUID: String) -> Owner { Owner(rawValue: mirrorUUID) }
    }

    /// The epoch that another one continues.
    public struct Predecessor: Hashable, Sendable {
        public var owner: Owner
        /// Whether anything was committed when the epoch began; else tag and entry mean nothing.
        public var isCommitted: Bool
        /// A number of the owner's own journal.
        public var tag: UInt64
        /// The last entry of it that was committed.
        public var entry: UInt64

        public init(_ owner: Owner, isCommitted: Bool = false, tag: UInt64 = 0, entry: UInt64 = 0) {
            (self.owner, self.isCommitted, self.tag, self.entry) = (owner, isCommitted, tag, entry)
        }
    }

    public var owner: Owner
    public var predecessor: Predecessor

    public init(_ owner: Owner, after predecessor: Predecessor = Predecessor(.local)) {
        (self.owner, self.predecessor) = (owner, predecessor)
    }
}

extension JournalTag: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { encoder in
            encoder.u64(id)
            encoder.u64(tagClass)
            encoder.blob(data)
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (decoder, _) throws(WireError) in
            JournalTag(id: try decoder.u64(), tagClass: try decoder.u64(), data: try decoder.blob())
        }
    }
}

extension JournalEpoch: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) {
        encoder.string(owner.rawValue)
        encoder.string(predecessor.owner.rawValue)
        encoder.bool(predecessor.isCommitted)
        encoder.u64(predecessor.tag)
        encoder.u64(predecessor.entry)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        owner = Owner(rawValue: try decoder.string())
        predecessor = Predecessor(
            Owner(rawValue: try decoder.string()), isCommitted: try decoder.bool(), tag: try decoder.u64(), entry: try decoder.u64())
    }
}
