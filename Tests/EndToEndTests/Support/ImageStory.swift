import TestSupport

/// The life of one image on site A: data, user snapshots, sizes, names, metadata.
struct ImageStory {
    let scene: Scene
    private(set) var name = "disk"
    private let options: [String]
    private let mebibytes: Int
    private var workload: SourceWorkload

    init(_ scene: Scene, _ random: SeededRandom, mebibytes: Int, options: [String] = []) {
        self.scene = scene
        self.mebibytes = mebibytes
        self.options = options
        workload = SourceWorkload(random, size: mebibytes << 20)
    }

    private var source: Site { scene.siteA }
    private var spec: String { source.spec(name) }

    /// Makes the image with data, a protected snapshot and metadata.
    mutating func begin() async throws {
        try await scene.createImage(name, mebibytes: mebibytes, options: options)
        let name = name, source = source
        try await workload.fill { try await source.write($0, to: name) }
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@first")
        try await source.rbd("snap", "protect", "\(spec)@first")
        try await source.rbd("image-meta", "set", spec, "owner", "Ann of \"Accounts\", ümläut")
        try await source.rbd("image-meta", "set", spec, "conf_rbd_qos_iops_limit", "0")
        try await write()
        try await scene.takeMirrorSnapshot(name)
    }

    mutating func growAndSnapshot() async throws {
        try await write()
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@second")
        try await resize(mebibytes * 3 / 2)
        let name = name, source = source
        try await workload.fill(mebibytes << 20..<workload.size) { try await source.write($0, to: name) }
        try await write()
        try await source.rbd("image-meta", "set", spec, "owner", "Bob")
        try await scene.takeMirrorSnapshot(name)
    }

    /// The new size ends within an object, and other than the old one on the replica.
    mutating func shrinkAndRename() async throws {
        try await resize(mebibytes / 2 + 1)
        try await write()
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@third")
        try await resize(mebibytes)
        try await write()
        try await source.rbd("mv", spec, source.spec("drive"))
        name = "drive"
        try await source.rbd("image-meta", "remove", spec, "conf_rbd_qos_iops_limit")
        try await scene.takeMirrorSnapshot(name)
    }

    mutating func rearrangeSnapshots() async throws {
        try await source.rbd("snap", "unprotect", "\(spec)@first")
        try await source.rbd("snap", "rename", "\(spec)@first", "\(spec)@oldest")
        try await source.rbd("snap", "protect", "\(spec)@third")
        try await source.rbd("snap", "rm", "--no-progress", "\(spec)@second")
        try await source.rbd("snap", "create", "--no-progress", "\(spec)@second")
        try await source.rbd("snap", "limit", "set", "--limit", "30", spec)
        try await write()
        try await scene.takeMirrorSnapshot(name)
    }

    /// Several mirror snapshots, with user snapshots between, for a daemon that was away.
    mutating func pileUpSnapshots() async throws {
        for number in 1...3 {
            try await write()
            try await scene.takeMirrorSnapshot(name)
            try await write()
            try await source.rbd("snap", "create", "--no-progress", "\(spec)@pile-\(number)")
            if number == 2 { try await source.rbd("snap", "rm", "--no-progress", "\(spec)@pile-1") }
        }
        try await scene.takeMirrorSnapshot(name)
    }

    /// Lives through data, growth and shrinkage under one daemon until site B is primary, compared on the way.
    ///
    /// - Parameter atRest: Looks at more of it while site B follows.
    mutating func unfold(
        daemonOptions: [String] = [], atRest: (_ image: String) async throws -> Void = { _ in }
    ) async throws {
        let daemon = try await scene.startDaemon(on: scene.siteB, options: daemonOptions)
        try await begin()
        try await isInStep()
        try await growAndSnapshot()
        try await scene.waitForSync(name)
        try await shrinkAndRename()
        try await isInStep(diffs: .backups)
        try await atRest(name)
        try await scene.handOver(name, from: source)
        try await scene.checkObjectMaps(name, on: scene.siteB)
        // Ids of new snapshots must be higher than those of ours.
        try await scene.siteB.rbd("snap", "create", "--no-progress", "\(scene.siteB.spec(name))@afterwards")
        try await daemon.terminate()
    }

    /// Waits for the replica and compares it.
    func isInStep(diffs: ImageJudge.Diffs = .none) async throws {
        try await scene.waitForSync(name)
        try await compare(diffs: diffs)
    }

    /// Compares both sides as they are.
    func compare(diffs: ImageJudge.Diffs) async throws {
        try await ImageJudge(image: name, diffs: diffs).compare(scene.siteA, scene.siteB)
    }

    private mutating func write() async throws { try await source.write(workload.churned(), to: name) }

    private mutating func resize(_ mebibytes: Int) async throws {
        try await source.rbd("resize", "--no-progress", "--allow-shrink", "--size", "\(mebibytes)M", spec)
        workload.size = mebibytes << 20
    }
}
