import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Primaries on both sides of one pool, a daemon on each.
    @Suite struct TwoWayTests {
        static let casts: [(name: String, a: AnyDaemon.Make, b: AnyDaemon.Make)] = [
            ("two-way", .ours, .ours), ("two-way-stock", .stock, .ours),
        ]

        @Test(arguments: casts) func bothWaysAtOnce(_ cast: (name: String, a: AnyDaemon.Make, b: AnyDaemon.Make)) async throws {
            try await withScene(cast.name) { scene in
                let daemons = [try await scene.start(cast.a, on: scene.siteA), try await scene.start(cast.b, on: scene.siteB)]
                var ways = [Way(scene, from: scene.siteA, into: cast.b), Way(scene, from: scene.siteB, into: cast.a)]
                for index in ways.indices { try await ways[index].create() }
                for round in 1...max(3, Knobs.count(3)) {
                    // Everything is written and followed side by side.
                    var (first, second) = (ways[0], ways[1])
                    async let one = first.advance(round)
                    async let other = second.advance(round)
                    ways = [try await one, try await other]
                    for way in ways { try await way.isInStep() }
                }
                let images = ways.flatMap(\.images).sorted()
                for site in scene.sites {
                    let listed: [String] = try await site.cluster.rbdJSON("ls", site.pool)
                    #expect(listed == images)
                }
                for daemon in daemons { try await daemon.terminate() }
                for (site, make) in zip(scene.sites, [cast.a, cast.b]) where make == .ours {
                    try await Leftovers(site: site).expectNone(images: images)
                }
            }
        }
    }
}

/// The images that one side of a pool is primary of.
private struct Way: Sendable {
    let scene: Scene
    let source: Site
    /// The daemon that follows them.
    let target: AnyDaemon.Make
    private(set) var images: [String]
    private var workload: SourceWorkload

    init(_ scene: Scene, from source: Site, into target: AnyDaemon.Make) {
        self.scene = scene
        self.source = source
        self.target = target
        images = (1...3).map { "\(source.name)-\($0)" }
        workload = SourceWorkload(SeededRandom.forRun("\(scene.siteA.pool) \(source.name)"), size: 8 << 20)
        workload.discards = target != .stock
    }

    mutating func create() async throws {
        for image in images {
            try await scene.createImage(image, on: source, mebibytes: 8)
            try await workload.fill { [source] in try await source.write($0, to: image) }
        }
    }

    /// Writes to all images and gives one of them another name; returns what is there then.
    mutating func advance(_ round: Int) async throws -> Way {
        for image in images {
            try await source.write(workload.churned(), to: image)
            try await source.rbd("snap", "create", "--no-progress", "\(source.spec(image))@round-\(round)")
            try await source.write(workload.churned(), to: image)
        }
        let renamed = round % images.count
        let name = "\(source.name)-renamed-\(round)"
        try await source.rbd("mv", source.spec(images[renamed]), source.spec(name))
        images[renamed] = name
        for image in images { try await scene.takeMirrorSnapshot(image, on: source) }
        return self
    }

    func isInStep() async throws {
        for image in images {
            // A stock daemon looks again after 30 s.
            try await scene.waitForSync(image, from: source, within: target == .stock ? .seconds(120) : .seconds(30))
            try await ImageJudge(image: image).compare(scene.siteA, scene.siteB)
            try await source.waitForStatus(image, state: "up+stopped")
            try await scene.other(than: source).waitForStatus(image, state: "up+replaying")
        }
    }
}
