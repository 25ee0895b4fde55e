import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Replicas of clones are clones of the replicas of their parents.
    @Suite struct CloneTests {
        struct Kind: CustomTestStringConvertible, Sendable {
            let pool: String
            var format = 2
            /// Of the parent, which the clone takes over.
            var options: [String] = []
            var features: [String] = []
            var deepFlatten = true
            var testDescription: String { pool }
        }

        static let kinds = [
            Kind(pool: "clone-2", options: ["--object-size", "1M"]),
            Kind(pool: "clone-1", format: 1, options: ["--object-size", "256K"]),
            Kind(pool: "clone-striped", options: ["--object-size", "1M", "--stripe-unit", "64K", "--stripe-count", "4"]),
            Kind(pool: "clone-shallow", options: ["--object-size", "512K"], deepFlatten: false),
            Kind(pool: "clone-no-map", options: ["--object-size", "1M"], features: ["--image-feature", "layering,exclusive-lock,deep-flatten"]),
        ]

        @Test(arguments: kinds) func aCloneLives(_ kind: Kind) async throws {
            try await withScene(kind.pool) { scene in
                let family = Family(scene, kind)
                try await family.createParent()
                let daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.waitForSync("parent")
                try await family.createClone()
                try await family.isInStep()
                var workload = SourceWorkload(SeededRandom.forRun(kind.pool), size: Family.mebibytes << 20)
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                for round in 1...max(3, Knobs.count(3)) {
                    try await family.change(&workload)
                    try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec("clone"))@s\(round)")
                    try await family.change(&workload)
                    if round == 2 { try await family.resize(Family.mebibytes / 2 + 1, &workload) }
                    try await scene.takeMirrorSnapshot("clone")
                    try await family.isInStep()
                    try await family.hasTheSameParent(as: "parent@point")
                    if round == 2 { try await family.resize(Family.mebibytes + 3, &workload) }
                }
                try await family.change(&workload)
                try await siteA.rbd("flatten", "--no-progress", siteA.spec("clone"))
                try await family.change(&workload)
                try await scene.takeMirrorSnapshot("clone")
                try await family.isInStep()
                try await family.isCloneNoMore()

                try await scene.handOver("clone", from: siteA)
                try await family.compare()
                if kind.pool != "clone-no-map" { try await scene.checkObjectMaps("clone", on: siteB, allowsExcess: true) }
                try await daemon.terminate()
            }
        }

        /// On each side in turn, with the other side following.
        @Test func thereAndBack() async throws {
            try await withScene("clone-failover") { scene in
                let family = Family(scene, Kind(pool: "clone-failover", options: ["--object-size", "512K"]))
                try await family.createParent()
                let daemons = [try await scene.startDaemon(on: scene.siteA, "a"), try await scene.startDaemon(on: scene.siteB, "b")]
                try await scene.waitForSync("parent")
                try await family.createClone()
                try await family.isInStep()
                var workload = SourceWorkload(SeededRandom.forRun("clone-failover"), size: Family.mebibytes << 20)
                for source in [scene.siteA, scene.siteB, scene.siteA] {
                    try await source.write(family.changes(&workload), to: "clone")
                    try await source.rbd("snap", "create", "--no-progress", "\(source.spec("clone"))@on-\(source.name)-\(workload.size)")
                    try await source.write(family.changes(&workload), to: "clone")
                    try await scene.takeMirrorSnapshot("clone", on: source)
                    try await scene.waitForSync("clone", from: source)
                    try await family.compare()
                    try await source.write(family.changes(&workload), to: "clone")
                    try await scene.handOver("clone", from: source)
                    try await family.compare()
                    workload.size -= 1 << 20
                    try await scene.other(than: source).rbd(
                        "resize", "--no-progress", "--allow-shrink", "--size", "\(workload.size >> 20)M", scene.other(than: source).spec("clone"))
                }
                try await scene.takeMirrorSnapshot("clone", on: scene.siteB)
                try await scene.waitForSync("clone", from: scene.siteB)
                try await family.compare()
                try await scene.handOver("clone", from: scene.siteB)
                try await family.compare()
                try await scene.checkObjectMaps("clone", on: scene.siteA, allowsExcess: true)
                for daemon in daemons { try await daemon.terminate() }
            }
        }

        /// Stock loses the parent's bytes in objects that were first written to since its last sync, and says nothing.
        @Test func afterStock() async throws {
            try await withScene("clone-stock") { scene in
                let siteB = scene.siteB
                let family = Family(scene, Kind(pool: "clone-stock", options: ["--object-size", "1M"]))
                try await family.createParent()
                try await family.createClone()
                let stock = try await scene.startStock(on: siteB)
                try await scene.waitForStock("parent")
                try await scene.waitForStock("clone")
                try await family.compare()
                var workload = SourceWorkload(SeededRandom.forRun("clone-stock"), size: Family.mebibytes << 20)
                try await family.change(&workload)
                try await scene.takeMirrorSnapshot("clone")
                try await scene.waitForStock("clone")
                await #expect(throws: Disagreement.self, "stock got it right") { try await family.compare() }
                try await stock.stop()

                let daemon = try await scene.startDaemon(on: siteB)
                try await daemon.waitForLog("mended")
                try await family.compare()
                try await family.change(&workload)
                try await scene.takeMirrorSnapshot("clone")
                try await family.isInStep()
                try await daemon.terminate()
            }
        }

        @Test func theParentIsNotThereYet() async throws {
            try await withScene("clone-orphan") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let family = Family(scene, Kind(pool: "clone-orphan"))
                try await family.createParent()
                try await family.createClone()
                // It is in the way of the parent's replica.
                try await siteB.rbd("create", siteB.spec("parent"), "--size", "1M")
                let daemon = try await scene.startDaemon(on: siteB)
                try await siteB.waitForStatusOfNone("clone", from: siteA, "waits for its parent") {
                    $0.contains("its parent clone-orphan/parent is not here yet")
                }
                try await siteB.rbd("rm", "--no-progress", siteB.spec("parent"))
                try await scene.waitForSync("parent")
                try await family.isInStep()
                try await family.hasTheSameParent(as: "parent@point")
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["parent", "clone"])
            }
        }

        /// What the source keeps in the trash for its clones, the replica keeps for its own.
        @Test func theParentsSnapshotIsRemoved() async throws {
            try await withScene("clone-trash") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                let family = Family(scene, Kind(pool: "clone-trash"))
                try await family.createParent()
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.waitForSync("parent")
                try await family.createClone()
                try await family.isInStep()
                try await siteA.rbd("snap", "rm", "--no-progress", "\(siteA.spec("parent"))@point")
                let point = try await scene.takeMirrorSnapshot("parent")
                try await waitUntil("the parent is in step") {
                    try await siteB.snapshots("parent").contains { $0.primaryID == point && $0.isComplete }
                }
                try await waitUntil("the parent's snapshot is in the trash") { try await siteB.snapshots("parent").contains(where: \.isTrash) }
                var workload = SourceWorkload(SeededRandom.forRun("clone-trash"), size: Family.mebibytes << 20)
                try await family.change(&workload)
                try await scene.takeMirrorSnapshot("clone")
                try await family.isInStep()

                // With its last clone, it goes.
                try await siteA.mirror("disable", image: "clone")
                try await waitUntil("the parent's snapshot is gone", within: .seconds(40)) {
                    try await !siteB.snapshots("parent").contains(where: \.isTrash)
                }
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["parent"])
            }
        }
    }
}

/// A parent and its clone on site A.
private struct Family {
    static let mebibytes = 16
    let scene: Scene
    let kind: EndToEnd.CloneTests.Kind

    init(_ scene: Scene, _ kind: EndToEnd.CloneTests.Kind) { (self.scene, self.kind) = (scene, kind) }

    private var source: Site { scene.siteA }

    func createParent() async throws {
        var workload = SourceWorkload(SeededRandom.forRun("\(kind.pool)-parent"), size: Self.mebibytes << 20)
        try await source.cluster.rbd(["create", source.spec("parent"), "--size", "\(Self.mebibytes)M"] + kind.options)
        try await workload.fill { try await source.write($0, to: "parent") }
        try await source.rbd("snap", "create", "--no-progress", "\(source.spec("parent"))@point")
        if kind.format == 1 { try await source.rbd("snap", "protect", "\(source.spec("parent"))@point") }
        // Not what the clone sees.
        try await source.write(workload.churned(), to: "parent")
        try await source.rbd("mirror", "image", "enable", source.spec("parent"), "snapshot")
    }

    func createClone() async throws {
        try await source.cluster.rbd(
            ["clone", "--rbd-default-clone-format", "\(kind.format)", "\(source.spec("parent"))@point", source.spec("clone")] + kind.features)
        if !kind.deepFlatten { try await source.rbd("feature", "disable", source.spec("clone"), "deep-flatten") }
        try await source.rbd("mirror", "image", "enable", source.spec("clone"), "snapshot")
    }

    /// Few enough for objects to be written to for the first time round after round.
    func changes(_ workload: inout SourceWorkload) -> DiffStream {
        var stream = DiffStream()
        workload.churn(writes: 4, discards: 3, into: &stream)
        return stream
    }

    func change(_ workload: inout SourceWorkload) async throws {
        try await source.write(changes(&workload), to: "clone")
    }

    func resize(_ mebibytes: Int, _ workload: inout SourceWorkload) async throws {
        try await source.rbd("resize", "--no-progress", "--allow-shrink", "--size", "\(mebibytes)M", source.spec("clone"))
        workload.size = mebibytes << 20
    }

    func isInStep() async throws {
        try await scene.waitForSync("clone")
        try await compare()
    }

    func compare() async throws {
        var judge = ImageJudge(image: "clone")
        // Replicas are clones of format 2, whatever the source is; that is an operation which old clients do not know.
        if kind.format == 1 { judge.ownFeatures.insert("operations") }
        try await judge.compare(scene.siteA, scene.siteB)
    }

    func hasTheSameParent(as parent: String) async throws {
        for site in scene.sites {
            let info = try await site.rbd("info", site.spec("clone"))
            guard info.contains("parent: \(site.spec(parent))") else { throw ToolFailure(tool: "rbd info on \(site.name)", text: info) }
        }
        let overlaps = try await [overlap(source), overlap(scene.siteB)]
        guard overlaps[0] == overlaps[1] else { throw ToolFailure(tool: "rbd info", text: "overlaps are \(overlaps)") }
    }

    private func overlap(_ site: Site) async throws -> Int {
        struct Info: Decodable {
            var parent: Parent?
            struct Parent: Decodable { var overlap: Int }
        }
        return try await site.cluster.rbdJSON("info", site.spec("clone"), as: Info.self).parent?.overlap ?? 0
    }

    func isCloneNoMore() async throws {
        let site = scene.siteB
        try await waitUntil("the replica is flat") { try await !site.rbd("info", site.spec("clone")).contains("parent:") }
        if kind.deepFlatten {
            let children = try await site.rbd("children", "\(site.spec("parent"))@point")
            guard children.isEmpty else { throw ToolFailure(tool: "rbd children", text: children) }
        }
    }
}

extension Site {
    /// The status that this site's daemon shows at the source, of an image that is not here.
    fileprivate func waitForStatusOfNone(
        _ image: String, from source: Site, _ what: String, _ isWanted: @escaping @Sendable (String) -> Bool
    ) async throws {
        try await source.waitForStatus(image, what) { status in
            status.peers.contains { $0.state == "up+error" && isWanted($0.description) }
        }
    }
}
