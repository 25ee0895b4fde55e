import Foundation

/// What the environment says of the size of the tests.
enum Knobs {
    /// Decides every random choice; printed when a test fails.
    static let seed: UInt64 = value("CEPH_MIRRORING_SEED") ?? .random(in: 1...999_999)
    /// Rounds of the tests that repeat themselves with other random choices.
    static let count: Int? = value("CEPH_MIRRORING_COUNT")
    /// Size of the image that has everything, in MiB.
    static let mebibytes: Int = value("CEPH_MIRRORING_MIB") ?? 128

    private static func value<Number: LosslessStringConvertible>(_ name: String) -> Number? {
        ProcessInfo.processInfo.environment[name].flatMap(Number.init)
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
