/// Why a journal cannot be replayed onto a replica.
public struct JournalReplayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set: keep a default branch.
    public struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The replica does not have what an entry is about.
        public static let missing = Code("missing")
        /// An operation that was begun here has failed at the primary.
        public static let failedAtPrimary = Code("failedAtPrimary")
        /// An entry says something that cannot be.
        public static let invalid = Code("invalid")
    }

    public let code: Code
    public let position: JournalPosition
    /// What is wrong, and the way out.
    public let text: String

    init(_ code: Code, at position: JournalPosition, _ text: String) { (self.code, self.position, self.text) = (code, position, text) }

    public var description: String { "tag \(position.tag), entry \(position.entry): \(text)" }
}
