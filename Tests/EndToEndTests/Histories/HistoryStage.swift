import CephCore
import CephSandbox
import TestSupport

/// An image as it begins.
struct HistoryKind: Sendable {
    let name: String
    var options = ImageOptions()
    var namespace = ""
    /// The pool of the parent, for clones.
    var parentPool: String?
    /// Each object costs an operation in each comparison.
    var takesLong: Bool { options.order == 12 }

    static let all: [HistoryKind] = [
        HistoryKind(name: "all features"),
        HistoryKind(name: "layering only", options: .init(features: .layering)),
        HistoryKind(name: "no object map", options: .init(features: [.layering, .exclusiveLock])),
        HistoryKind(name: "no deep flatten", options: .init(features: [.layering, .exclusiveLock, .objectMap, .fastDiff])),
        HistoryKind(name: "small objects", options: .init(order: 16)),
        HistoryKind(name: "largest objects", options: .init(order: 25)),
        HistoryKind(name: "striped", options: .init(order: 20, stripeUnit: 64 << 10, stripeCount: 4)),
        HistoryKind(name: "wide stripes", options: .init(order: 21, stripeUnit: 512 << 10, stripeCount: 5)),
        HistoryKind(name: "stripes of one", options: .init(order: 20, stripeUnit: 64 << 10, stripeCount: 1)),
        HistoryKind(name: "data pool", options: .init(order: 20, dataPool: "bulk")),
        HistoryKind(name: "namespace", options: .init(order: 20), namespace: "ann"),
        HistoryKind(name: "clone", options: .init(cloneFormat: 2), parentPool: "lives"),
        HistoryKind(name: "clone of format 1", options: .init(cloneFormat: 1), parentPool: "lives"),
        HistoryKind(name: "clone of another pool", options: .init(cloneFormat: 2), parentPool: "ancestors"),
        HistoryKind(name: "clone in a namespace", options: .init(cloneFormat: 2), namespace: "ann", parentPool: "lives"),
        HistoryKind(name: "smallest objects", options: .init(order: 12)),
        HistoryKind(name: "clone without a map", options: .init(features: [.layering, .exclusiveLock], cloneFormat: 2), parentPool: "lives"),
    ]
}

/// Both sides' pools, and parents for clones.
struct HistoryStage: Sendable {
    let scene: Scene
    let clusterA: Cluster
    let clusterB: Cluster

    func pool(_ cluster: Cluster, _ kind: HistoryKind) async throws -> Pool {
        try await cluster.pool(scene.siteA.pool).inNamespace(kind.namespace)
    }

    /// Makes a parent with a protected snapshot in each pool that has clones' parents.
    func makeParents() async throws {
        for name in Set(HistoryKind.all.compactMap(\.parentPool)).sorted() {
            let pool = try await clusterA.pool(name)
            try await pool.createImage("parent", size: ImageHistory.largest, .init(order: 20))
            try await pool.withImage("parent", for: .readWrite) { image in
                var data = RandomData(SeededRandom.forRun("parent of \(name)"))
                for start in stride(from: 0, to: ImageHistory.largest, by: 3 << 20) {
                    try await image.write(data.bytes(1 << 20), at: start)
                }
                try await image.createSnapshot("base")
                try await image.protectSnapshot("base")
                try await image.write(data.bytes(1 << 20), at: 0)
                try await image.enableMirroring()
                let point = try await image.createMirrorSnapshot()
                let replica = try await clusterB.pool(name)
                try await HistoryJudge(source: pool, replica: replica).waitForSync("parent", to: point)
            }
        }
    }

    /// Makes an image with something in it and mirrors it.
    func begin(_ kind: HistoryKind, _ name: String, _ random: SeededRandom) async throws -> ImageHistory {
        let pool = try await pool(clusterA, kind)
        if let parentPool = kind.parentPool {
            try await clusterA.pool(parentPool).cloneImage("parent", at: "base", to: name, in: pool, kind.options)
        } else {
            try await pool.createImage(name, size: ImageHistory.largest / 2, kind.options)
        }
        var history = try await ImageHistory(of: name, in: pool, isClone: kind.parentPool != nil, random)
        for _ in 1...10 { try await history.step() }
        try await history.image.enableMirroring()
        return history
    }

    func judge(_ kind: HistoryKind) async throws -> HistoryJudge {
        var judge = HistoryJudge(source: try await pool(clusterA, kind), replica: try await pool(clusterB, kind))
        if kind.parentPool != nil {
            // Replicas are clones of format 2, whatever the source is; that is an operation which old clients do not know. And a
            // snapshot that was made soon after the source was flattened sees the parent here still.
            judge.ownFeatures.insert(.operations)
            judge.comparesChanges = false
        }
        return judge
    }

    /// Has the stock command judge the image at its end, and hands it over.
    func end(_ kind: HistoryKind, _ history: ImageHistory, _ judge: HistoryJudge) async throws {
        let name = history.name
        try await history.image.demote()
        let newest = try await history.image.snapshots().last { $0.mirror != nil }
        try await history.image.close()
        try await judge.waitForSync(name, to: newest?.id ?? 0)
        var stock = ImageJudge(image: name, diffs: kind.parentPool == nil ? .backupsAlone : .none)
        stock.ownFeatures.formUnion(judge.ownFeatures.contains(.operations) ? ["operations"] : [])
        // Those of the source may be invalid.
        stock.comparesFlags = false
        var (siteA, siteB) = (scene.siteA, scene.siteB)
        (siteA.namespace, siteB.namespace) = (kind.namespace, kind.namespace)
        try await stock.compare(siteA, siteB)
        try await siteB.mirror("promote", image: name)
        if try await siteB.rbd("info", siteB.spec(name)).contains("object-map") {
            try await scene.checkObjectMaps(name, on: siteB, allowsExcess: kind.parentPool != nil)
        }
    }
}

extension HistoryStage {
    /// Removes an image that is done with on both sides: all lives together are more than the sandbox holds.
    func remove(_ kind: HistoryKind, _ name: String) async throws {
        for cluster in [clusterB, clusterA] {
            let pool = try await pool(cluster, kind)
            try await pool.withImage(name, for: .readWrite) { image in
                try await image.disableMirroring(force: true)
                for snapshot in try await image.snapshots() where snapshot.kind == .user {
                    if try await image.isSnapshotProtected(snapshot.name) { try await image.unprotectSnapshot(snapshot.name) }
                    try await image.removeSnapshot(snapshot.name)
                }
            }
            try await pool.removeImage(name)
        }
    }
}

/// Connects to both sites for the time of a body.
nonisolated(nonsending)
func withHistoryStage(_ scene: Scene, _ body: (HistoryStage) async throws -> Void) async throws {
    try await scene.addMirroredPool("ancestors")
    try await scene.addMirroredNamespace("ann")
    for site in scene.sites { try await scene.addPool("bulk", on: site) }
    let clusters = [
        try await Cluster.connect(.configurationFile(scene.siteA.cluster.configurationFile.string)),
        try await Cluster.connect(.configurationFile(scene.siteB.cluster.configurationFile.string)),
    ]
    let result: Result<Void, any Error>
    do {
        try await body(HistoryStage(scene: scene, clusterA: clusters[0], clusterB: clusters[1]))
        result = .success(())
    } catch { result = .failure(error) }
    for cluster in clusters { await cluster.shutdown() }
    try result.get()
}
