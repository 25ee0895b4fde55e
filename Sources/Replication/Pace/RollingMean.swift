internal import DequeModule

/// The mean of the last few values, as of bytes per finished snapshot.
public struct RollingMean: Sendable {
    /// Values that count, the newest ones.
    public let window: Int
    private var values: Deque<Double> = []

    public init(window: Int = 30) {
        precondition(window > 0)
        self.window = window
    }

    public mutating func add(_ value: Double) {
        if values.count == window { values.removeFirst() }
        values.append(value)
    }

    /// Zero while there is no value.
    public var mean: Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    public var count: Int { values.count }
}
