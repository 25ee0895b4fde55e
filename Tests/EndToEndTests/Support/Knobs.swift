import Foundation
import SystemPackage
import Testing

/// What the environment says of the size of the tests; the seed is `SeededRandom`'s.
enum Knobs {
    /// Rounds of the tests that repeat themselves with other random choices.
    static func count(_ usual: Int) -> Int { value("CEPH_MIRRORING_COUNT") ?? usual }
    /// Random lives of images.
    static let histories = value("CEPH_MIRRORING_HISTORIES") ?? 25
    /// The number of the first of them, to repeat one or to go on.
    static let firstHistory = value("CEPH_MIRRORING_FIRST") ?? 0
    /// Size of the image that has everything, in MiB.
    static let mebibytes = value("CEPH_MIRRORING_MIB") ?? 128

    /// How long a load lasts at least, in seconds.
    static let seconds = value("CEPH_MIRRORING_SECONDS") ?? 0

    /// A folder with a newer release of Ceph, as `Tests/newer-ceph` makes it; nil skips the tests that need one.
    static let newer = ProcessInfo.processInfo.environment["CEPH_MIRRORING_NEWER"].map { FilePath($0) }

    private static func value(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test where there is no newer release to mix with.
    static var needsNewerRelease: Self { .enabled(if: Knobs.newer != nil, "CEPH_MIRRORING_NEWER is not set: see Tests/newer-ceph") }
}
