internal import CephCore
internal import Foundation
internal import RBDImage

/// How the other site of a peer relation is reached.
struct PeerConnection: Sendable {
    let base: Cluster
    let configuration: RBDMirrorConfiguration

    /// The local site's name: as configured, else the cluster's id.
    static func siteName(of cluster: Cluster) async throws(CephError) -> String {
        let name = try await value(of: "rbd/mirror/site_name", in: cluster)
        if let name, !name.isEmpty { return name }
        return try cluster.fsid()
    }

    /// Connects to a peer's cluster: with the address and key kept for it, else by its name's configuration file.
    func connect(_ peer: MirrorPeer, poolID: Int64) async throws(CephError) -> Cluster {
        let attributes = try await Self.attributes(of: peer, poolID: poolID, in: base)
        let source: ClusterConfiguration.Source = if let attributes, !attributes.monitors.isEmpty {
            .monitors(attributes.monitors, key: attributes.key, clusterName: peer.siteName)
        } else {
            .named(peer.siteName)
        }
        return try await Cluster.connect(ClusterConfiguration(
            source, as: peer.clientName, options: configuration.peerOptions, deadlines: configuration.deadlines))
    }

    private struct Attributes {
        let monitors: String
        let key: Secret?
    }

    private static func attributes(of peer: MirrorPeer, poolID: Int64, in cluster: Cluster) async throws(CephError) -> Attributes? {
        guard let text = try await value(of: "rbd/mirror/peer/\(poolID)/\(peer.uuid)", in: cluster),
            let json = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return nil }
        return Attributes(
            monitors: json["mon_host"] as? String ?? "", key: (json["key"] as? String).map(Secret.init))
    }

    /// A value of the monitors' key-value store, nil when there is none.
    private static func value(of key: String, in cluster: Cluster) async throws(CephError) -> String? {
        do throws(CephError) {
            return try await cluster.monitorCommand(["prefix": "config-key get", "key": key]).text
                .trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
