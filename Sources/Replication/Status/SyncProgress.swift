/// How far a running sync is.
public struct SyncProgress: Hashable, Sendable, Codable {
    public var objectsDone: UInt64
    /// Objects to look at, whether they turn out to have changed or not.
    public var objectsTotal: UInt64
    /// Read from the source.
    public var bytesDone: UInt64
    /// Bytes to move in all; nil while that is not known.
    public var bytesTotal: UInt64?
    /// Mean of the last 30 seconds.
    public var bytesPerSecond: Double
    /// Nil while there is nothing to estimate from.
    public var secondsLeft: Double?

    public init(
        objectsDone: UInt64 = 0, objectsTotal: UInt64 = 0, bytesDone: UInt64 = 0, bytesTotal: UInt64? = nil,
        bytesPerSecond: Double = 0, secondsLeft: Double? = nil
    ) {
        self.objectsDone = objectsDone
        self.objectsTotal = objectsTotal
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
        self.bytesPerSecond = bytesPerSecond
        self.secondsLeft = secondsLeft
    }

    /// The part done, 0 to 1; of the objects, which are known before the bytes.
    public var fraction: Double {
        objectsTotal == 0 ? 0 : min(1, Double(objectsDone) / Double(objectsTotal))
    }
}

/// The last sync that was finished.
public struct LastSync: Hashable, Sendable, Codable {
    /// Bytes read from the source.
    public var bytes: UInt64
    public var seconds: Double
    public var finished: WallTime

    public init(bytes: UInt64, seconds: Double, finished: WallTime) {
        self.bytes = bytes
        self.seconds = seconds
        self.finished = finished
    }
}
