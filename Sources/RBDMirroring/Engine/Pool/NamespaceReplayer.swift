internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// Serves the images of one namespace of a pool: follows both sites' image lists, keeps a replayer for each
/// image it was given, and their statuses on both sites.
actor NamespaceReplayer {
    private let pair: PoolPair
    private let configuration: RBDMirrorConfiguration
    private let logger: Logger
    private let onReport: @Sendable () -> Void
    private let localStatus: StatusWriter
    private let remoteStatus: StatusWriter
    private let admission: LocalAdmission
    private var replayers: [String: ImageReplayer] = [:]
    private var localImages: Set<String> = []
    private var remoteImages: Set<String> = []
    private var watches: [Watch] = []
    private var tasks: [Task<Void, Never>] = []
    private let changed = WakeSignal()

    init(pair: PoolPair, configuration: RBDMirrorConfiguration, logger: Logger, onReport: @escaping @Sendable () -> Void) {
        self.pair = pair
        self.configuration = configuration
        var logger = logger
        if !pair.local.namespace.isEmpty { logger[metadataKey: "ceph.namespace"] = "\(pair.local.namespace)" }
        self.logger = logger
        self.onReport = onReport
        localStatus = StatusWriter(directory: MirrorDirectory(pair.local), mirrorUUID: "")
        remoteStatus = StatusWriter(directory: MirrorDirectory(pair.remote), mirrorUUID: pair.localMirrorUUID)
        admission = LocalAdmission(limit: configuration.concurrentSyncs)
    }

    nonisolated var pairIdentity: [String] { pair.identity }

    func start() async throws {
        // A status counts as up only while its writer watches the object it is kept in.
        for pool in [pair.local, pair.remote] {
            let watch = try await pool.watch(MirrorDirectory.object)
            watches.append(watch)
            tasks.append(Task { for await _ in watch.events { changed.signal() } })
        }
        try await pair.localImages.removeDownStatuses()
        try await pair.remoteImages.removeDownStatuses()
        tasks.append(Task { await localStatus.run() })
        tasks.append(Task { await remoteStatus.run() })
        tasks.append(Task { await followImages() })
    }

    func stop() async {
        for task in tasks.dropFirst(2) { task.cancel() }
        await withTaskGroup { group in
            for replayer in replayers.values { group.addTask { await replayer.stop() } }
        }
        await localStatus.flush()
        await remoteStatus.flush()
        for task in tasks { task.cancel() }
        for watch in watches { await watch.cancel() }
        for task in tasks { await task.value }
        replayers = [:]
    }

    private func followImages() async {
        while !Task.isCancelled {
            do {
                localImages = Set(try await pair.localImages.images().values)
                remoteImages = Set(try await pair.remoteImages.images().values)
                await assign(localImages.union(remoteImages))
                onReport()
            } catch {
                logger.warning("cannot list the mirrored images", metadata: ["error": "\(error)"])
            }
            guard (try? await changed.wait(for: .seconds(30))) != nil else { return }
        }
    }

    private func assign(_ images: Set<String>) async {
        for (globalID, replayer) in replayers where !images.contains(globalID) {
            await replayer.stop()
            try? await localStatus.remove(globalID)
            try? await remoteStatus.remove(globalID)
            replayers[globalID] = nil
        }
        for globalID in images {
            if let replayer = replayers[globalID] {
                replayer.nudge()
                continue
            }
            let replayer = ImageReplayer(
                globalID: globalID, pair: pair, statuses: [localStatus, remoteStatus], admit: admission, logger: logger)
            replayers[globalID] = replayer
            await replayer.start()
        }
    }

    /// Figures for the service status.
    struct Counts: Sendable {
        var assigned = 0
        var local = 0
        var remote = 0
        var errors = 0
        var warnings = 0
    }

    func counts() async -> Counts {
        var counts = Counts(assigned: replayers.count, local: localImages.count, remote: remoteImages.count)
        for replayer in replayers.values {
            switch await replayer.shown.state {
            case .error: counts.errors += 1
            case .unknown: counts.warnings += 1
            default: break
            }
        }
        return counts
    }
}

/// Leave to copy, given by this process alone.
actor LocalAdmission: SyncAdmission {
    private let throttle: Throttle

    init(limit: Int) { throttle = Throttle(limit: limit) }

    private struct Permit: SyncAdmissionPermit {
        let throttle: Throttle
        func finish() async { throttle.release() }
    }

    func request(_ imageID: String) async throws -> any SyncAdmissionPermit {
        try await throttle.acquire()
        return Permit(throttle: throttle)
    }
}

extension Pool {
    /// The namespaces of an RBD pool.
    func namespaces() async throws(CephError) -> [String] {
        var names: [String] = []
        while true {
            let reply: [UInt8]
            do throws(CephError) {
                reply = try await call(NamespaceMethod.list(after: names.last ?? "", limit: 1024), on: ObjectNames.namespaces)
            } catch {
                guard error.isNotFound else { throw error }
                return names
            }
            let page: [String]
            do throws(WireError) {
                page = try Decoder.decode(reply, as: "namespace_list") { (d) throws(WireError) in
                    try d.list(elementsOfAtLeast: 4) { (d) throws(WireError) in try d.string() }
                }
            } catch {
                throw .undecodable(error, operation: "namespace_list", subject: spec)
            }
            names += page
            if page.count < 1024 { return names }
        }
    }
}
