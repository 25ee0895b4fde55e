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
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "swift-ceph-mirroring",
    products: [
        .library(name: "CephCore", targets: ["CephCore"]),
        .library(name: "RBDImage", targets: ["RBDImage"]),
        .library(name: "SnapshotDelta", targets: ["SnapshotDelta"]),
        .library(name: "JournalReplay", targets: ["JournalReplay"]),
        .library(name: "Replication", targets: ["Replication"]),
        .library(name: "RBDMirroring", targets: ["RBDMirroring"]),
        .library(name: "CephSandbox", targets: ["CephSandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
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
        .target(name: "JournalReplay", dependencies: ["RBDImage", "CephCore", "Replication"], swiftSettings: settings),
        .target(name: "Replication", dependencies: [deque], swiftSettings: settings),
        .target(
            name: "RBDMirroring",
            dependencies: ["SnapshotDelta", "JournalReplay", "RBDImage", "CephCore", "Replication", logging, lifecycle],
            swiftSettings: settings),
        .target(name: "AdminSocket", dependencies: [lifecycle], swiftSettings: settings),
        .target(name: "CephSandbox", dependencies: ["CephCore", system], swiftSettings: settings),

        .target(
            name: "DaemonSupport", dependencies: ["AdminSocket", logging, lifecycle, signals], path: "Examples/DaemonSupport",
            swiftSettings: settings),
        .target(name: "CAllocator", path: "Examples/CAllocator", linkerSettings: [.linkedLibrary("tcmalloc_minimal")]),
        .executableTarget(
            name: "rbd-mirror",
            dependencies: [
                "RBDMirroring", "JournalReplay", "CephCore", "AdminSocket", "DaemonSupport", "CAllocator", logging, lifecycle,
            ],
            path: "Examples/rbd-mirror", swiftSettings: settings),
        .executableTarget(
            name: "cephmirror", dependencies: ["JournalReplay", "RBDImage", "CephCore", arguments], path: "Examples/cephmirror",
            swiftSettings: settings),
        .executableTarget(
            name: "mirror-demo", dependencies: ["CephSandbox", "CephCore", "RBDImage", "rbd-mirror", system], path: "Examples/mirror-demo",
            swiftSettings: settings),

        .executableTarget(
            name: "SandboxHolder", dependencies: ["CephSandbox", system], path: "Tests/SandboxHolder", swiftSettings: settings),
        // A daemon without an engine, for the tests of what makes a process one.
        .executableTarget(
            name: "daemon-probe", dependencies: ["AdminSocket", "DaemonSupport", logging, lifecycle], path: "Tests/DaemonProbe",
            swiftSettings: settings),
        .target(name: "TestSupport", dependencies: ["CephCore"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "CephCoreTests", dependencies: ["CephCore", "CCeph", "CephSandbox", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "RBDImageTests", dependencies: ["RBDImage", "CephCore", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "SnapshotDeltaTests", dependencies: ["SnapshotDelta", "RBDImage", "CephCore", "CephSandbox", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "JournalReplayTests",
            dependencies: ["JournalReplay", "RBDImage", "CephCore", "CephSandbox", "TestSupport", "cephmirror"],
            swiftSettings: settings),
        .testTarget(name: "AdminSocketTests", dependencies: ["AdminSocket", lifecycle, logging], swiftSettings: settings),
        .testTarget(
            name: "DaemonSupportTests", dependencies: ["AdminSocket", "DaemonSupport", "daemon-probe", logging],
            swiftSettings: settings),
        .testTarget(name: "ReplicationTests", dependencies: ["Replication"], swiftSettings: settings),
        .executableTarget(
            name: "CooperationHolder", dependencies: ["RBDMirroring", "CephCore", logging], path: "Tests/CooperationHolder",
            swiftSettings: settings),
        .testTarget(
            name: "RBDMirroringTests", dependencies: ["RBDMirroring", "CephSandbox", "CooperationHolder", logging],
            swiftSettings: settings),
        // Our daemons as their operators meet them.
        .testTarget(name: "DaemonTests", dependencies: ["CephSandbox", "rbd-mirror", system], swiftSettings: settings),
        // Our daemon between real clusters, judged by the stock tools.
        .testTarget(
            name: "EndToEndTests", dependencies: ["CephSandbox", "TestSupport", "JournalReplay", "RBDImage", "CephCore", "rbd-mirror", system],
            swiftSettings: settings),
        .testTarget(name: "CephSandboxTests", dependencies: ["CephSandbox", "SandboxHolder", system], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
