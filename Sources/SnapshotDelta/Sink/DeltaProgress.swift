/// How far a delta has been copied, written or applied.
public struct DeltaProgress: Hashable, Sendable {
    /// The image offset up to which all is done.
    public var position: UInt64 = 0
    /// Bytes of the image at the newer point.
    public var size: UInt64 = 0
    /// Extents so far, or records of a stream.
    public var extents = 0
    /// Bytes read of extents that are not holes.
    public var bytesRead: UInt64 = 0
    /// Bytes written as data; runs of zeroes are not.
    public var bytesWritten: UInt64 = 0

    public init(size: UInt64 = 0) { self.size = size }

    /// Told how far it is, after each extent that was begun.
    public typealias Report = @Sendable (DeltaProgress) -> Void
}
