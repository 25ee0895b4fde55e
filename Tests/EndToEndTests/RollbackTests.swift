import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// `rbd snap rollback` on the source: librbd's object map does not tell what it changed.
    @Suite struct RollbackTests {
        /// What happens to the snapshot that the image went back to.
        enum Course: String, CaseIterable, CustomTestStringConvertible {
            case kept, removed, madeSince = "made-since", beforeTheFirstSync = "before-the-first-sync"
            var testDescription: String { rawValue }
        }

        @Test(arguments: Course.allCases) func isFollowed(_ course: Course) async throws {
            try await withScene("rollback-\(course.rawValue)") { scene in
                let image = Image(scene)
                let daemon = try await scene.startDaemon(on: scene.siteB)
                try await image.begin(course)
                if course != .beforeTheFirstSync {
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.waitForSync("disk")
                    try await image.change(course)
                    try await scene.takeMirrorSnapshot("disk")
                }
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(scene.siteA, scene.siteB)
                // Of the next change the maps are right again.
                try await image.write(0x55, at: 3)
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk").compare(scene.siteA, scene.siteB)
                try await scene.handOver("disk", from: scene.siteA)
                try await scene.checkObjectMaps("disk", on: scene.siteB)
                try await daemon.terminate()
            }
        }
    }
}

/// An image on site A with a snapshot in whose map everything is clean.
private struct Image {
    static let mebibytes = 24
    let scene: Scene

    init(_ scene: Scene) { self.scene = scene }

    private var source: Site { scene.siteA }
    private var spec: String { source.spec("disk") }

    func begin(_ course: EndToEnd.RollbackTests.Course) async throws {
        try await source.rbd("create", spec, "--size", "\(Self.mebibytes)M")
        for position in 0..<Self.mebibytes { try await write(UInt8(position + 1), at: position) }
        if course == .beforeTheFirstSync {
            try await snapshots("create", "early", "old")
            try await write(0xaa, at: 9)
            try await snapshots("create", "between")
            try await goBack(to: "old")
            try await snapshots("rm", "old")
        } else {
            if course != .madeSince { try await snapshots("create", "early", "old") }
            try await write(0xaa, at: 9)
        }
        try await source.mirror("enable", "snapshot", image: "disk")
    }

    func change(_ course: EndToEnd.RollbackTests.Course) async throws {
        if course == .madeSince {
            try await snapshots("create", "early", "old")
            try await write(0xbb, at: 9)
            try await snapshots("create", "between")
        }
        try await goBack(to: "old")
        if course != .kept { try await snapshots("rm", "old") }
    }

    func write(_ byte: UInt8, at mebibyte: Int) async throws {
        var stream = DiffStream()
        stream.write([UInt8](repeating: byte, count: 300_000), at: mebibyte << 20)
        try await source.write(stream, to: "disk")
    }

    private func goBack(to snapshot: String) async throws {
        try await source.rbd("snap", "rollback", "--no-progress", "\(spec)@\(snapshot)")
    }

    private func snapshots(_ verb: String, _ names: String...) async throws {
        for name in names { try await source.rbd("snap", verb, "--no-progress", "\(spec)@\(name)") }
    }
}
