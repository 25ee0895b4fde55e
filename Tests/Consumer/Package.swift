// swift-tools-version: 6.2
import PackageDescription

// An outside package: it sees of ours what any other Swift service sees.
let products = ["CephCore", "RBDImage", "SnapshotDelta", "JournalReplay", "Replication", "RBDMirroring", "CephSandbox"]

let package = Package(
    name: "consumer",
    dependencies: [
        .package(name: "swift-ceph-mirroring", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // What README shows, to the letter.
        .executableTarget(
            name: "ReadmeExample",
            dependencies: [
                .product(name: "CephCore", package: "swift-ceph-mirroring"),
                .product(name: "RBDMirroring", package: "swift-ceph-mirroring"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "Consumer", dependencies: products.map { .product(name: $0, package: "swift-ceph-mirroring") }),
    ],
    swiftLanguageModes: [.v6]
)
