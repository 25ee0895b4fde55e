import CephSandbox
import TestSupport

/// One image of site A from its creation to its removal, with all that a replica has to follow.
struct ImageLife {
    enum Kind: CaseIterable, Sendable {
        /// All features that are usual.
        case usual
        /// A clone that is flattened later.
        case clone
        /// Without the exclusive lock and object maps.
        case layering
        /// With its data in another pool.
        case dataPool
    }

    /// What happens to it at the source (or, a resync, at the replica), one after the other.
    enum Part: String, CaseIterable, Sendable { case creation, change, demotion, resync, removal }

    static let dataPool = "bulk"
    let scene: Scene
    let kind: Kind
    private(set) var name = "disk"
    /// The replica's id before a resync or a removal.
    private(set) var replicaID = ""
    private var random: SeededRandom
    private var workload: SourceWorkload
    private var rounds = 0

    private static let mebibytes = 12

    init(_ scene: Scene, _ kind: Kind, _ random: SeededRandom) async throws {
        self.scene = scene
        self.kind = kind
        self.random = random
        workload = SourceWorkload(random, size: Self.mebibytes << 20)
        if kind == .dataPool { for site in scene.sites { try await scene.addPool(Self.dataPool, on: site) } }
        if kind == .clone { try await createParent() }
    }

    private var source: Site { scene.siteA }
    private var spec: String { source.spec(name) }
    var dataPool: String? { kind == .dataPool ? Self.dataPool : nil }
    var pools: [String] { [source.pool] + (dataPool.map { [$0] } ?? []) }
    /// What is to be in the pool beside the image.
    var others: [String] { kind == .clone ? ["parent"] : [] }

    private func createParent() async throws {
        var workload = workload
        try await source.rbd("create", source.spec("parent"), "--size", "\(Self.mebibytes)M", "--object-size", "128K")
        try await workload.fill { try await source.write($0, to: "parent") }
        try await source.rbd("snap", "create", "--no-progress", "\(source.spec("parent"))@point")
        try await source.mirror("enable", "snapshot", image: "parent")
        let daemon = try await scene.startDaemon(on: scene.siteB)
        try await scene.waitForSync("parent")
        try await daemon.terminate()
    }

    /// Has it happen, with no daemon at work.
    mutating func prepare(_ part: Part) async throws {
        if part == .resync || part == .removal { replicaID = try await scene.siteB.imageID(name) }
        switch part {
        case .creation: try await create()
        case .change: try await change()
        case .demotion:
            if kind == .clone { try await source.rbd("flatten", "--no-progress", spec) }
            try await source.write(changes(), to: name)
            try await source.mirror("demote", image: name)
        case .resync: try await scene.siteB.mirror("resync", image: name)
        case .removal: try await SourceEnd.allCases[random.below(SourceEnd.allCases.count)].happen(to: name, at: source)
        }
    }

    private mutating func create() async throws {
        let layout = ["--object-size", "128K"]
        switch kind {
        case .usual: try await source.cluster.rbd(["create", spec, "--size", "\(Self.mebibytes)M"] + layout)
        case .clone: try await source.rbd("clone", "--rbd-default-clone-format", "2", "\(source.spec("parent"))@point", spec)
        case .layering:
            try await source.cluster.rbd(["create", spec, "--size", "\(Self.mebibytes)M", "--image-feature", "layering"] + layout)
        case .dataPool:
            try await source.cluster.rbd(["create", spec, "--size", "\(Self.mebibytes)M", "--data-pool", Self.dataPool] + layout)
        }
        if kind != .clone {
            let name = name, source = source
            try await workload.fill { try await source.write($0, to: name) }
        }
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@first")
        try await source.rbd("snap", "protect", "\(spec)@first")
        try await source.rbd("image-meta", "set", spec, "owner", "Ann")
        try await source.write(changes(), to: name)
        try await source.mirror("enable", "snapshot", image: name)
    }

    private mutating func change() async throws {
        rounds += 1
        try await source.write(changes(), to: name)
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@next-\(rounds)")
        try await source.rbd("snap", "protect", "\(spec)@next-\(rounds)")
        try await source.write(changes(), to: name)
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@passing")
        try await resize(by: random.oneIn(2) ? 1 : -1)
        try await source.write(changes(), to: name)
        try await source.rbd("snap", "unprotect", "\(spec)@first")
        try await source.rbd("snap", "rename", "\(spec)@first", "\(spec)@oldest")
        try await source.rbd("image-meta", "set", spec, "owner", "Bob")
        try await source.rbd("snap", "limit", "set", "--limit", "30", spec)
        let new = "drive"
        try await source.rbd("mv", spec, source.spec(new))
        name = new
        try await scene.takeMirrorSnapshot(name)
        // The point has it still, and the replica loses it at its end.
        try await source.rbd("snap", "rm", "--no-progress", "\(spec)@passing")
    }

    private mutating func resize(by mebibytes: Int) async throws {
        workload.size += mebibytes << 20
        try await source.rbd("resize", "--no-progress", "--allow-shrink", "--size", "\(workload.size >> 20)M", spec)
    }

    private mutating func changes() -> DiffStream {
        var stream = DiffStream()
        workload.churn(writes: 20, discards: 6, into: &stream)
        return stream
    }
}

extension ImageLife {
    /// Waits until the replica has followed, compares it, and has the source ready for what comes next.
    func settle(_ part: Part) async throws {
        switch part {
        case .creation, .change: break
        case .resync: try await scene.siteB.waitForNewID(name, than: replicaID)
        case .demotion: break
        case .removal: return try await scene.siteB.waitUntilGone(replicaID, in: dataPool)
        }
        try await scene.waitForSync(name)
        // Of a clone, librbd itself may count objects as changed that were not.
        try await ImageJudge(image: name, diffs: kind == .clone ? .none : .wholeObjects).compare(scene.siteA, scene.siteB)
        if part == .resync { try await scene.siteB.waitUntilGone(replicaID, in: dataPool) }
    }

    /// Ends what only the part needed, with no daemon at work: nothing is left that is not the image's.
    func leave(_ part: Part) async throws {
        let images = part == .removal ? others : others + [name]
        try await Leftovers(site: scene.siteB, dataPool: dataPool).expectNone(images: images)
        if part == .removal { try await expectNoChild() }
        if part == .demotion { try await source.mirror("promote", image: name) }
    }

    /// The parent's replica knows of no clone.
    func expectNoChild() async throws {
        guard kind == .clone else { return }
        let children = try await scene.siteB.rbd("children", "\(scene.siteB.spec("parent"))@point")
        guard children.isEmpty else { throw ToolFailure(tool: "rbd children", text: children) }
    }
}

/// How an image of a source ends.
enum SourceEnd: String, CaseIterable, Sendable {
    case disable, rm, trash

    func happen(to image: String, at site: Site) async throws {
        let spec = site.spec(image)
        switch self {
        case .disable: try await site.mirror("disable", image: image)
        case .rm:
            for snapshot in try await site.protectedSnapshots(image) { try await site.rbd("snap", "unprotect", "\(spec)@\(snapshot)") }
            try await site.rbd("snap", "purge", "--no-progress", spec)
            try await site.rbd("rm", "--no-progress", spec)
        case .trash: try await site.rbd("trash", "mv", spec)
        }
    }
}

extension Site {
    fileprivate func protectedSnapshots(_ image: String) async throws -> [String] {
        struct Snapshot: Decodable { var name: String, protected: String }
        let all: [Snapshot] = try await cluster.rbdJSON("snap", "ls", spec(image))
        return all.filter { $0.protected == "true" }.map(\.name)
    }
}
