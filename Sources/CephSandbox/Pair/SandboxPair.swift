/// Runs two clusters that mirror RBD pools to each other.
///
///     let pair = try await SandboxPair.start()
///     try await pair.siteA.rbd("create", "rbd/disk", "--size", "1G")
///     try await pair.siteA.rbd("mirror", "image", "enable", "rbd/disk", "snapshot")
///     let stock = try await pair.siteB.startRBDMirror()
public struct SandboxPair: Sendable {
    public let siteA: SandboxCluster
    public let siteB: SandboxCluster

    /// Which way images may be mirrored; an open set.
    public struct Direction: Hashable, Sendable {
        let option: String
        /// Both ways.
        public static let both = Direction(option: "rx-tx")
        /// From site A to site B only: site A does not know site B.
        public static let fromAToB = Direction(option: "rx-only")
    }

    /// Says what a pair is made of.
    public struct Configuration: Hashable, Sendable {
        /// The first cluster, site `site-a`.
        public var siteA: SandboxConfiguration
        /// The second cluster, site `site-b`.
        public var siteB: SandboxConfiguration
        /// The pools to make on both and to connect.
        public var pools: [String]
        public var direction: Direction

        /// - Parameter cluster: What both clusters are made of; change one of them afterwards to have them differ.
        public init(_ cluster: SandboxConfiguration = SandboxConfiguration(), pools: [String] = ["rbd"], direction: Direction = .both) {
            siteA = cluster
            siteB = cluster
            self.pools = pools
            self.direction = direction
        }
    }

    /// Starts two clusters at once and connects their pools; when it fails nothing is left behind.
    public static func start(_ configuration: Configuration = Configuration()) async throws -> SandboxPair {
        let first = Task { try await SandboxCluster.start("site-a", configuration.siteA) }
        let second = Task { try await SandboxCluster.start("site-b", configuration.siteB) }
        let results = await withTaskCancellationHandler {
            (await first.result, await second.result)
        } onCancel: {
            first.cancel()
            second.cancel()
        }
        do {
            let pair = SandboxPair(siteA: try results.0.get(), siteB: try results.1.get())
            for pool in configuration.pools { try await pair.addMirroredPool(pool, direction: configuration.direction) }
            return pair
        } catch {
            for result in [results.0, results.1] { try? await result.get().stop() }
            throw error
        }
    }

    /// Stops both clusters.
    public func stop() async throws {
        async let first: Void = siteA.stop()
        async let second: Void = siteB.stop()
        _ = try await (first, second)
    }
}
