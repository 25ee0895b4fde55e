import Foundation

/// A repeatable source of chance (SplitMix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number below `bound`, quickly and nearly evenly.
    public mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    /// True once in `odds` times.
    public mutating func oneIn(_ odds: Int) -> Bool { below(odds) == 0 }

    /// The run's seed: `CEPH_MIRRORING_SEED` where it is set, else a new one.
    public static let runSeed: UInt64 =
        ProcessInfo.processInfo.environment["CEPH_MIRRORING_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999_999)

    /// What to print beside a failure.
    public static var hint: String { "CEPH_MIRRORING_SEED=\(runSeed)" }

    /// A generator of its own for each name, all from the run's seed.
    public static func forRun(_ name: String) -> SeededRandom {
        SeededRandom(seed: name.utf8.reduce(runSeed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
    }
}
