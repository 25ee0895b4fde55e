// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "swift-ceph-mirroring",
    products: [
        .library(name: "CephCore", targets: ["CephCore"]),
        .library(name: "RBDImage", targets: ["RBDImage"]),
        .library(name: "SnapshotDelta", targets: ["SnapshotDelta"]),
        .library(name: "Replication", targets: ["Replication"]),
        .library(name: "RBDMirroring", targets: ["RBDMirroring"]),
        .library(name: "CephSandbox", targets: ["CephSandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        .target(
            name: "CCeph",
            linkerSettings: [.linkedLibrary("rados"), .linkedLibrary("rbd")]
        ),
        .target(name: "CephCore", dependencies: ["CCeph"], swiftSettings: settings),
        .target(name: "RBDImage", dependencies: ["CephCore"], swiftSettings: settings),
        .target(name: "SnapshotDelta", dependencies: ["RBDImage", "CephCore"], swiftSettings: settings),
        .target(name: "Replication", dependencies: [deque], swiftSettings: settings),
        .target(
            name: "RBDMirroring",
            dependencies: ["SnapshotDelta", "RBDImage", "CephCore", "Replication", logging, lifecycle],
            swiftSettings: settings),
        .target(name: "CephSandbox", dependencies: [system], swiftSettings: settings),

        .executableTarget(
            name: "SandboxHolder", dependencies: ["CephSandbox", system], path: "Tests/SandboxHolder", swiftSettings: settings),
        .testTarget(name: "CephCoreTests", dependencies: ["CephCore"], swiftSettings: settings),
        .testTarget(name: "ReplicationTests", dependencies: ["Replication"], swiftSettings: settings),
        .testTarget(
            name: "RBDMirroringTests", dependencies: ["RBDMirroring", "CephSandbox", logging], swiftSettings: settings),
        .testTarget(name: "CephSandboxTests", dependencies: ["CephSandbox", "SandboxHolder", system], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
