/// Why bytes could not be decoded, and where.
///
/// An open set: match with `error.reason == .truncated` and keep a default branch.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong with the bytes.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }

        /// The input ends before the value does.
        public static let truncated = Reason("input ends early")
        /// A count or length claims more than the input holds.
        public static let oversized = Reason("length exceeds the input")
        /// The structure's compat version is newer than this decoder.
        public static let incompatible = Reason("incompatible structure version")
        /// A value is outside its type's range.
        public static let invalidValue = Reason("invalid value")
        /// Text is not UTF-8.
        public static let invalidText = Reason("text is not UTF-8")
        /// Bytes remain where the structure must end.
        public static let trailingBytes = Reason("bytes after the end")
        /// A checksum does not match.
        public static let checksum = Reason("checksum mismatch")
    }

    public let reason: Reason
    /// Offset in the outermost input, in bytes.
    public let offset: Int
    /// The structure being decoded, outermost first.
    public let context: String

    public init(_ reason: Reason, at offset: Int, in context: String = "") {
        self.reason = reason
        self.offset = offset
        self.context = context
    }

    public var description: String {
        (context.isEmpty ? "" : "\(context): ") + "\(reason) at byte \(offset)"
    }
}
