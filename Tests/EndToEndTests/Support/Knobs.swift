import Foundation

/// What the environment says of the size of the tests; the seed is `SeededRandom`'s.
enum Knobs {
    /// Rounds of the tests that repeat themselves with other random choices.
    static func count(_ usual: Int) -> Int { value("CEPH_MIRRORING_COUNT") ?? usual }
    /// Random lives of images.
    static let histories = value("CEPH_MIRRORING_HISTORIES") ?? 25
    /// Size of the image that has everything, in MiB.
    static let mebibytes = value("CEPH_MIRRORING_MIB") ?? 128

    private static func value(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
