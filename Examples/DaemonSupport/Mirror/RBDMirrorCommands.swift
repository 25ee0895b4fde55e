public import AdminSocket
internal import Glibc
internal import Synchronization

/// The commands `rbd mirror …` of an rbd-mirror daemon, kept in step with its pools and images.
///
/// Ceph's daemon registers every target's commands under words of their own, since the `ceph` command offers
/// exactly what is registered:
/// - `rbd mirror status|start|stop|restart|flush|leader release` for everything,
/// - the same followed by `POOL SITE` for a pool and the site name of its peer,
/// - `rbd mirror status|start|stop|restart|flush POOL[/NAMESPACE]/IMAGE` for an image,
/// - `rbd mirror deletion status POOL`.
///
/// The reply of a status is a document; that of an action is empty.
public final class RBDMirrorCommands: Sendable {
    private let control: any MirrorControl
    private let server: AdminSocketServer
    private let registered = Mutex<Set<MirrorTarget>>([])

    /// Registers the commands for everything; those of pools and images follow with `update()`.
    public init(control: any MirrorControl, on server: AdminSocketServer) {
        self.control = control
        self.server = server
        server.register(Self.commands(for: .everything, control))
    }

    /// Registers and removes commands so that they are those of the pools and images there are now.
    ///
    /// To be called whenever one appears, goes or is renamed; cheap where nothing changed.
    public func update() async {
        let wanted = Self.targets(of: await control.status())
        registered.withLock { known in
            let gone = known.subtracting(wanted).flatMap { Self.commands(for: $0, control) }
            server.unregister(gone.map(\.prefix))
            server.register(wanted.subtracting(known).flatMap { Self.commands(for: $0, control) })
            known = wanted
        }
    }

    static func targets(of pools: [PoolReplayerStatus]) -> Set<MirrorTarget> {
        var targets: Set<MirrorTarget> = []
        for pool in pools {
            targets.insert(.pool(pool.pool, peer: pool.peerSite))
            targets.insert(.deletion(pool.pool))
            targets.formUnion(pool.allImages.map { .image($0.spec) })
        }
        return targets
    }

    static func commands(for target: MirrorTarget, _ control: any MirrorControl) -> [AdminCommand] {
        let words = target.words.isEmpty ? "" : " " + target.words
        if target.kind == .deletion {
            return [
                AdminCommand("rbd mirror deletion status" + words, help: "get status for image deleter") { _ in
                    reply(Self.status(of: target, in: await control.status()))
                }
            ]
        }
        let status = AdminCommand("rbd mirror status" + words, help: "get status for rbd mirror" + words) { _ in
            reply(Self.status(of: target, in: await control.status()))
        }
        return [status] + actions(for: target).map { action in
            let prefix = "rbd mirror \(action.verb)\(words)"
            let help = action == .releaseLeader ? "release rbd mirror leader" : "\(action.verb) rbd mirror"
            return AdminCommand(prefix, help: help + words) { _ in
                do {
                    try await control.perform(action, on: target)
                    return .done
                } catch {
                    return .failure(EIO, "\(prefix): \(error)")
                }
            }
        }
    }

    static func status(of target: MirrorTarget, in pools: [PoolReplayerStatus]) -> JSONValue? {
        switch target.kind {
        case .everything: ["pool_replayers": .array(pools.map(\.document))]
        case .pool: pools.first { .pool($0.pool, peer: $0.peerSite) == target }?.document
        case .image: pools.lazy.flatMap(\.allImages).first { $0.spec == target.words }?.document
        case .deletion: pools.first { $0.pool == target.words }?.deleter.document
        }
    }

    private static func actions(for target: MirrorTarget) -> [MirrorAction] {
        let common: [MirrorAction] = [.start, .stop, .restart, .flush]
        return target.kind == .image ? common : common + [.releaseLeader]
    }

    private static func reply(_ document: JSONValue?) -> AdminReply {
        document.map { .json($0) } ?? .failure(ENOENT, "no longer served by this daemon")
    }
}
