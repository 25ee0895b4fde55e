// swift-tools-version: 6.2
import PackageDescription

let ceph = "swift-ceph-mirroring"

let package = Package(
    name: "mirror-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: ceph, path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .executableTarget(
            name: "mirror-benchmark",
            dependencies: [
                .product(name: "CephCore", package: ceph),
                .product(name: "RBDImage", package: ceph),
                .product(name: "CephSandbox", package: ceph),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "delta-benchmark",
            dependencies: [
                .product(name: "CephCore", package: ceph),
                .product(name: "SnapshotDelta", package: ceph),
                .product(name: "CephSandbox", package: ceph),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
