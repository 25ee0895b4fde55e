/// Why there is no delta between two points, or why it cannot be applied.
///
/// An open set: match with `error.reason == .pointMissing` and keep a default branch.
public struct DeltaError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }

        /// The image has no such snapshot, or it is being removed.
        public static let pointMissing = Reason("no such snapshot")
        /// The older point is the newer one's successor.
        public static let pointsReversed = Reason("the snapshot to start from is not the older one")
        /// A snapshot was removed, or the size or the parent changed, while the delta was found or read: what was read may be
        /// wrong.
        public static let pointChanged = Reason("changed while it was read")
        /// The image that is to be written to has no snapshot of the older point's name.
        public static let startMissing = Reason("the snapshot to start from is not in the image")
        /// The image that is to be written to has a snapshot of the newer point's name already.
        public static let endExists = Reason("the snapshot to end with is in the image already")
        /// A stream has bytes for a place beyond the image's end.
        public static let outOfRange = Reason("beyond the image's end")
    }

    public let reason: Reason
    /// What it is about: `pool/image@snapshot`, or bytes of an image.
    public let subject: String

    public init(_ reason: Reason, _ subject: String) {
        self.reason = reason
        self.subject = subject
    }

    public var description: String { "\(subject): \(reason)" }
}
