internal import CephCore
internal import JournalReplay
internal import Logging
internal import RBDImage
internal import Replication

/// Watches the headers of an image that is not replayed, so that a change of roles is seen when it happens.
///
/// An image that is being promoted by force is not to be watched: the promoter waits until no mirror daemon does.
actor HeaderVigil {
    /// The images whose headers are watched, by id.
    struct Headers: Hashable, Sendable {
        var local: String?
        var remote: String?
        /// Those of their journals instead: there a change of roles is told.
        var isJournaled = false
    }

    private struct Post {
        let watch: Watch
        let listener: Task<Void, Never>
    }

    private let pair: PoolPair
    private let wake: WakeSignal
    private let logger: Logger
    private var headers = Headers()
    private var posts: [Post] = []

    init(pair: PoolPair, wake: WakeSignal, logger: Logger) {
        self.pair = pair
        self.wake = wake
        self.logger = logger
    }

    /// Watches these headers and no others.
    ///
    /// - Returns: Whether some are watched from now on: what changed before has to be looked for.
    func keep(_ wanted: Headers) async throws(CancellationError) -> Bool {
        guard wanted != headers else { return false }
        await end()
        headers = wanted
        for (id, pool) in [(wanted.local, pair.local), (wanted.remote, pair.remote)] {
            guard let id else { continue }
            if wanted.isJournaled { await watchJournal(of: id, in: pool) } else { await watch(ObjectNames.header(id), in: pool) }
        }
        if Task.isCancelled { throw CancellationError() }
        return !posts.isEmpty
    }

    /// Watches nothing any more.
    func end() async {
        headers = Headers()
        let old = posts
        posts = []
        await withTaskGroup { group in
            for post in old {
                post.listener.cancel()
                group.addTask { await post.watch.cancel(within: .seconds(2)) }
            }
        }
    }

    /// Without a watch changes are seen at the next look.
    private func watch(_ object: String, in pool: Pool) async {
        let watch: Watch
        do throws(CephError) { watch = try await pool.watchHeader(object) } catch {
            logger.debug("cannot watch the header", metadata: ["error": "\(error)"])
            return
        }
        let own = pool.cluster.globalID
        let listener = Task { [wake] in
            for await event in watch.events where Self.isNews(event, to: own) { wake.signal() }
        }
        posts.append(Post(watch: watch, listener: listener))
    }

    /// Whoever commits tells of it too: only a change of roles, or a wish for a resync, is news.
    private func watchJournal(of id: String, in pool: Pool) async {
        let watch: Watch
        do throws(CephError) { watch = try await pool.watchHeader(JournalNames.header(id)) } catch {
            logger.debug("cannot watch the journal", metadata: ["error": "\(error)"])
            return
        }
        let before = try? await pool.role(of: id, .journal, mirrorUUID: "")
        let listener = Task { [wake] in
            for await _ in watch.events {
                guard let before, let now = try? await pool.role(of: id, .journal, mirrorUUID: ""), now == before else {
                    wake.signal()
                    continue
                }
            }
        }
        posts.append(Post(watch: watch, listener: listener))
    }

    private static func isNews(_ event: WatchEvent, to own: UInt64) -> Bool {
        guard case .notified(let notification) = event.kind else { return true }
        return notification.notifier != own && (try? HeaderNotification(encoded: notification.payload))?.operation == .headerUpdate
    }
}

extension Pool {
    /// Watches a header for its changes.
    ///
    /// Each snapshot that is made waits for all who watch, also for one that was killed: the OSD is to miss it sooner than
    /// after its usual 30 s.
    func watchHeader(_ object: String) async throws(CephError) -> Watch { try await watch(object, timeout: .seconds(15)) }
}
