/// Growing pauses between retries, with jitter.
///
/// A pure value: the random generator is the caller's.
public struct Backoff: Hashable, Sendable {
    /// The first pause.
    public var first: Duration
    /// No pause is longer.
    public var longest: Duration
    /// Each pause is this much longer than the one before.
    public var factor: Double
    /// The random part of a pause, 0 (none) to 1 (anything from nothing to the whole).
    public var jitter: Double
    /// Pauses handed out since the last success.
    public private(set) var attempts = 0

    public init(
        first: Duration = .milliseconds(500), longest: Duration = .seconds(30), factor: Double = 2, jitter: Double = 0.5
    ) {
        precondition(first >= .zero && longest >= first && factor >= 1 && (0...1).contains(jitter))
        self.first = first
        self.longest = longest
        self.factor = factor
        self.jitter = jitter
    }

    /// Gives the pause before the next attempt and counts it.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let ceiling = self.ceiling
        attempts += 1
        guard jitter > 0 else { return ceiling }
        return ceiling * (1 - jitter * Double.random(in: 0...1, using: &generator))
    }

    /// Gives the pause before the next attempt and counts it.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Forgets the failures: the next pause is the first again.
    public mutating func reset() { attempts = 0 }

    /// The longest the next pause can be.
    public var ceiling: Duration {
        var pause = first
        for _ in 0..<attempts {
            guard factor > 1, (pause < longest) else { break }
            pause = pause * factor
        }
        return min(pause, longest)
    }
}

extension Duration {
    /// As a number of seconds.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
