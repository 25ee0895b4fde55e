/// Something in a journal that cannot be what was written there.
public struct JournalDamage: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong. An open set: keep a default branch.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }

        public static let checksum = Kind("the entry's checksum does not match")
        /// Neither an entry nor the zeroes that may lie between two.
        public static let foreignBytes = Kind("there is no entry where one must begin")
        public static let oversized = Kind("the entry claims to be larger than an object")
        public static let unknownVersion = Kind("the entry's version is unknown")
        /// The entry is whole, but not what it says is done.
        public static let undecodable = Kind("the entry's event cannot be read")
        /// A later entry of the same object is there.
        public static let missingEntry = Kind("an entry is missing before this one")
        /// The primary, or a later tag, says that there was more.
        public static let lostEnd = Kind("entries that were committed are missing")
    }

    public let kind: Kind
    /// The name of the data object.
    public let object: String
    /// In bytes.
    public let offset: UInt64
    /// What is known besides, as in why an event cannot be read.
    public let detail: String

    public init(_ kind: Kind, object: String, offset: UInt64, detail: String = "") {
        (self.kind, self.object, self.offset, self.detail) = (kind, object, offset, detail)
    }

    public var description: String {
        "\(object), byte \(offset): \(kind)" + (detail.isEmpty ? "" : " (\(detail))")
    }
}
