import ArgumentParser
import CephCore
import JournalReplay

/// Which cluster, and as whom.
struct ClusterOptions: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("conf")], help: "The cluster's configuration file.", completion: .file())
    var configurationFile: String?

    @Option(help: "The cluster's name: its file is /etc/ceph/NAME.conf.")
    var cluster = "ceph"

    @Option(name: [.customShort("n"), .long], help: "The user, as in client.admin.")
    var name: String?

    @Option(help: "The user without client.")
    var id: String?

    @Option(name: [.short, .long], help: "The user's keyring file.", completion: .file())
    var keyring: String?

    @Flag(help: "Print JSON.")
    var json = false

    func connect() async throws -> Cluster {
        let source: ClusterConfiguration.Source = configurationFile.map { .configurationFile($0, clusterName: cluster) } ?? .named(cluster)
        let user = name ?? id.map { "client.\($0)" } ?? "client.admin"
        return try await Cluster.connect(ClusterConfiguration(source, as: user, keyring: keyring, readsEnvironment: true))
    }

    /// Connects for the time of a body.
    func withCluster<R>(_ body: (Cluster) async throws -> R) async throws -> R {
        let cluster = try await connect()
        do {
            let value = try await body(cluster)
            await cluster.shutdown()
            return value
        } catch {
            await cluster.shutdown()
            throw error
        }
    }
}

/// An image, by POOL/[NAMESPACE/]IMAGE.
struct ImageSpec: ExpressibleByArgument {
    var pool: String
    var namespace = ""
    var image: String

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, !parts.contains("") else { return nil }
        (pool, image) = (parts[0], parts.last!)
        if parts.count == 3 { namespace = parts[1] }
    }

    func pool(on cluster: Cluster) async throws -> Pool { try await cluster.pool(pool).inNamespace(namespace) }
}

/// The journal of an image.
struct JournalOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions

    @Argument(help: "POOL/[NAMESPACE/]IMAGE")
    var image: ImageSpec

    @Flag(name: .customLong("by-id"), help: "The image is named by its id: for one that is in the trash, or gone.")
    var isID = false

    func withJournal<R>(_ body: (Journal) async throws -> R) async throws -> R {
        try await cluster.withCluster { cluster in
            let pool = try await image.pool(on: cluster)
            let id = isID ? image.image : try await pool.withImage(image.image) { try await $0.info().id }
            do {
                return try await body(try await Journal(ofImage: id, in: pool))
            } catch let error as CephError where error.isNotFound && error.subject.contains(JournalNames.header(id)) {
                throw Failure(error.code, "image \(image.image) of pool \(image.pool) has no journal: rbd feature enable it journaling")
            }
        }
    }
}
