internal import DequeModule

/// Bytes per second, as the mean of the last 30 seconds.
///
/// A pure value: every call is told the time, as a duration since any fixed start.
public struct RateMeter: Sendable {
    private struct Second { var index: Int64, bytes: UInt64 }

    /// Seconds the mean is taken over.
    public let window: Int
    private var buckets: Deque<Second> = []
    private var firstSecond: Int64?

    public init(window: Int = 30) {
        precondition(window > 0)
        self.window = window
    }

    /// Counts bytes moved now.
    public mutating func add(_ bytes: Int, at now: Duration) {
        guard bytes >= 0 else { return }
        let second = now.components.seconds
        if firstSecond == nil { firstSecond = second }
        forget(before: second)
        if let last = buckets.last, last.index >= second {
            buckets[buckets.count - 1].bytes &+= UInt64(bytes)
        } else {
            buckets.append(Second(index: second, bytes: UInt64(bytes)))
        }
    }

    /// The mean over the window, or over the time since the first byte when that is shorter.
    public func bytesPerSecond(at now: Duration) -> Double {
        guard let firstSecond else { return 0 }
        let second = now.components.seconds
        let oldest = second - Int64(window) + 1
        let sum = buckets.reduce(0.0) { $0 + ($1.index >= oldest ? Double($1.bytes) : 0) }
        let span = min(Int64(window), max(1, second - firstSecond + 1))
        return sum / Double(span)
    }

    private mutating func forget(before second: Int64) {
        let oldest = second - Int64(window) + 1
        while let first = buckets.first, first.index < oldest { buckets.removeFirst() }
    }
}
