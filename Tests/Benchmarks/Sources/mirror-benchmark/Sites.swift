import CephCore
import CephSandbox
import RBDImage

/// An image on the source, by all its names.
struct MirroredImage {
    let name: String
    let id: String
    let globalID: String
}

/// Both clusters' pools, to look at headers without the cost of a command.
struct Sites {
    static let poolName = "rbd"
    let pair: SandboxPair
    let source: Pool
    let replica: Pool

    init(_ pair: SandboxPair) async throws {
        self.pair = pair
        source = try await Self.connect(pair.siteA).pool(Self.poolName)
        replica = try await Self.connect(pair.siteB).pool(Self.poolName)
    }

    private static func connect(_ cluster: SandboxCluster) async throws -> Cluster {
        try await Cluster.connect(.configurationFile(cluster.configurationFile.string), as: "client.admin")
    }

    func disconnect() async {
        await source.cluster.shutdown()
        await replica.cluster.shutdown()
    }

    // MARK: Points

    /// The newest complete mirror snapshot of a source image.
    func newestPoint(_ image: MirroredImage) async throws -> UInt64 {
        let points = try await source.imageHeader(image.id).mirrorSnapshots
        return points.last { $0.mirror!.complete && $0.mirror!.state.isPrimary }?.id ?? 0
    }

    /// Waits for a mirror snapshot newer than another and returns it.
    func waitForPoint(of image: MirroredImage, after old: UInt64) async throws -> (point: UInt64, at: ContinuousClock.Instant) {
        try await poll("\(image.name) has a new mirror snapshot") {
            let point = try await newestPoint(image)
            return point > old ? point : nil
        }
    }

    /// Waits until an image is listed as mirrored at the source.
    func waitForRecord(of name: String) async throws -> MirroredImage {
        try await poll("\(name) is mirrored") { try? await find(name) }.0
    }

    /// Waits until the replica has a complete snapshot of a point of the source.
    func waitForReplica(of image: MirroredImage, at point: UInt64) async throws -> ContinuousClock.Instant {
        let directory = MirrorDirectory(replica)
        let id = try await poll("\(image.name) is known at site B") {
            try await directory.imageID(ofGlobalID: image.globalID)
        }.0
        return try await poll("\(image.name) is complete at site B") {
            try await isComplete(id, point) ? true : nil
        }.1
    }

    private func isComplete(_ id: String, _ point: UInt64) async throws -> Bool {
        do throws(CephError) {
            return try await replica.imageHeader(id).mirrorSnapshots.contains {
                $0.mirror!.complete && $0.mirror!.state.isNonPrimary && $0.mirror!.primarySnapshotID >= point
            }
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    /// Looks every 5 ms, the same way for every daemon.
    func poll<Value>(_ what: String, _ look: () async throws -> Value?) async throws -> (Value, ContinuousClock.Instant) {
        let limit = ContinuousClock.now + .seconds(600)
        while true {
            if let value = try await look() { return (value, .now) }
            guard ContinuousClock.now < limit else { throw BenchmarkError("waited ten minutes in vain until \(what)") }
            try await Task.sleep(for: .milliseconds(5), tolerance: .zero)
        }
    }

    /// Waits until the headers of an image on both sites have not changed for two seconds.
    func settle(_ image: MirroredImage) async throws {
        let directory = MirrorDirectory(replica)
        var last: [ImageHeader?] = []
        var since = ContinuousClock.now
        while since.duration(to: .now) < .seconds(2) {
            let id = try await directory.imageID(ofGlobalID: image.globalID)
            let now = [try await source.imageHeader(image.id), try await header(id)]
            if now != last {
                last = now
                since = .now
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func header(_ id: String?) async throws -> ImageHeader? {
        guard let id else { return nil }
        return try? await replica.imageHeader(id)
    }
}
