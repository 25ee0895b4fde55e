internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// Finds out what there is of an image on both sides and makes it ready to be replayed.
struct Bootstrap: Sendable {
    let pair: PoolPair
    let globalID: String
    let deletions: DeletionGuard
    let logger: Logger
    /// Ends what else this daemon has on the local image, before it goes.
    let letGo: @Sendable () async -> Void

    /// An image that can be replayed.
    struct Image: Sendable {
        let name: String
        let localID: String
        let remoteID: String
        let mode: MirrorImage.Mode
        /// It was created just now: nothing is in it.
        let isNew: Bool
    }

    enum Outcome {
        case replay(Image)
        /// Nothing to do until something changes, as a rule in one of these headers.
        case stop(ReplicationStatus, HeaderVigil.Headers)
        /// There is nothing on either side (any more).
        case removed
    }

    func run() async throws -> Outcome {
        let facts = try await facts()
        let plan = ImageBootstrapPlanner.plan(facts)
        logger.debug("bootstrap", metadata: ["plan": "\(plan)"])
        if facts.local?.record.mode == .journal { try await JournalBootstrap(pair: pair, globalID: globalID).pin(facts) }
        let stop = { (status: ReplicationStatus) in Outcome.stop(status, plan.headers(facts)) }
        switch plan {
        case .replay:
            guard let local = facts.local, case .image(let remote) = facts.remote else { return stop(Self.remoteRemoved) }
            let mode = local.record.mode
            return .replay(Image(name: remote.name, localID: local.imageID, remoteID: remote.imageID, mode: mode, isNew: false))
        case .create(let name, let mode):
            guard case .image(let remote) = facts.remote else { return stop(Self.remoteRemoved) }
            let (source, points) = try await points(of: remote)
            let parent: ReplicaParent?
            switch try await ParentChoice(pair: pair).parent(of: source, overlap: points.overlap) {
            case .missing(let why): return stop(Self.parentMissing(why))
            case .parent(let found): parent = found
            case .none: parent = nil
            }
            let id = try await create(name, source, mode, size: points.size, parent: parent)
            return .replay(Image(name: name, localID: id, remoteID: remote.imageID, mode: mode, isNew: true))
        case .discard(.halfBuilt), .discard(.interruptedRemoval):
            if plan == .discard(.interruptedRemoval), try await trashMove.finish(facts.local!) { return try await run() }
            logger.info("removing a half-built image", metadata: ["image.id": "\(facts.local!.imageID)"])
            try await ImageRemoval(pool: pair.local).removeHalfBuilt(
                facts.local!.imageID, globalID: globalID, mode: facts.local!.record.mode)
            return try await run()
        case .discard(.resync):
            await letGo()
            try await trashMove.run(facts.local!)
            return try await run()
        case .delete:
            if let doubt = try await deletions.objection(to: globalID, isConfirmed: facts.local!.resyncRequested) {
                return stop(ImageBootstrapPlan.StopReason.deletionHeld(doubt).status())
            }
            await letGo()
            try await trashMove.run(facts.local!)
            return .removed
        case .stop(.remoteRemoved) where facts.local == nil: return .removed
        case .wait(let reason): return stop(reason.status())
        case .stop(let reason): return stop(reason.status())
        }
    }

    /// The newest mirror snapshot that the local image got as a primary, demoted since or not; nil without an image.
    func newestPrimaryPoint() async throws -> UInt64? {
        guard let id = try await pair.localImages.imageID(ofGlobalID: globalID) else { return nil }
        return try await found { () throws(CephError) in try await pair.local.imageHeader(id) }?.newestPrimaryPoint
    }

    private var trashMove: TrashMove { TrashMove(pair: pair, globalID: globalID, logger: logger) }

    static var remoteRemoved: ReplicationStatus { ImageBootstrapPlan.StopReason.remoteRemoved.status() }

    private static func parentMissing(_ why: String) -> ReplicationStatus {
        ReplicationStatus(role: .replica, state: .error, reason: .parentMissing, text: "the image is a clone: \(why)")
    }

    // MARK: Facts

    private func facts() async throws -> BootstrapFacts {
        let source = SourceIdentity(fsid: try pair.remote.cluster.fsid(), mirrorUUID: pair.remoteMirrorUUID)
        var facts = BootstrapFacts(local: try await local(), remote: .unreachable, source: source, knownSource: source)
        // What is decided here, a promotion above all, does not wait for the other site.
        guard ImageBootstrapPlanner.plan(facts) == .wait(.sourceUnreachable) else { return facts }
        facts.remote = try await yieldingToCancellation { try await self.remote() }
        if facts.remote == .absent {
            let known = KnownSource(pair: pair)
            facts.source = try await known.answerer()
            facts.knownSource = try await known.source(of: facts.local)
        }
        if facts.local == nil, case .image(let source) = facts.remote {
            facts.localNameOwner = try await pair.local.imageID(named: source.name)
        }
        return facts
    }

    private func local() async throws -> BootstrapFacts.Local? {
        guard let id = try await pair.localImages.imageID(ofGlobalID: globalID),
            let record = try await pair.localImages.image(id) else { return nil }
        let isNamed = try await pair.local.imageName(ofID: id) != nil
        // On its way to the trash it says nothing any more.
        let role = isNamed || record.mode == .snapshot
            ? try await pair.local.role(of: id, record.mode, mirrorUUID: pair.localMirrorUUID) : ImageRole(promotion: .unknown)
        return BootstrapFacts.Local(
            imageID: id, record: record, isInDirectory: isNamed, promotion: role.promotion, resyncRequested: role.resyncRequested)
    }

    private func remote() async throws -> BootstrapFacts.Answer {
        guard let id = try await pair.remoteImages.imageID(ofGlobalID: globalID),
            let record = try await pair.remoteImages.image(id) else { return .absent }
        let header = try await found { () throws(CephError) in try await pair.remote.imageHeader(id) }
        guard let header, let name = try await pair.remote.imageName(ofID: id) else {
            return .image(.init(imageID: id, name: "", record: record, promotion: .unknown))
        }
        let promotion = record.mode == .snapshot
            ? PromotionState(ofSnapshots: header.snapshots)
            : try await pair.remote.role(of: id, record.mode, mirrorUUID: pair.remoteMirrorUUID).promotion
        return .image(.init(imageID: id, name: name, record: record, promotion: promotion))
    }

    private func found<T: Sendable>(_ read: () async throws(CephError) -> T) async throws(CephError) -> T? {
        do throws(CephError) { return try await read() } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    // MARK: Creation

    /// The source, and how large its oldest point is that is to be copied and what it sees of a parent, in bytes.
    private func points(of remote: BootstrapFacts.Remote) async throws -> (ImageHeader, (size: UInt64, overlap: UInt64)) {
        let pool = pair.remote
        let source = try await yieldingToCancellation { try await pool.imageHeader(remote.imageID) }
        let first = source.mirrorSnapshots.first { $0.mirror!.complete && $0.mirror!.peers.contains(pair.remotePeerUUID) }
        let oldest = source.userSnapshots.first { $0.id < first?.id ?? .max } ?? first
        guard let oldest else { return (source, (source.size, source.parent?.headOverlap ?? 0)) }
        return (source, (oldest.size, oldest.parentOverlap ?? 0))
    }

    /// Makes the local image, known as *creating* until its first mirror snapshot is there, or its journal.
    private func create(
        _ name: String, _ source: ImageHeader, _ mode: MirrorImage.Mode, size: UInt64, parent: ReplicaParent?
    ) async throws -> String {
        let dataPool = try await DataPoolChoice(pair: pair, logger: logger).pool(for: source)
        let id = ReplicaImage.newID(for: pair.local.cluster)
        logger.info("creating the local image", metadata: ["image.id": "\(id)", "image.name": "\(name)"])
        try await pair.localImages.setImage(id, MirrorImage(globalID: globalID, state: .creating, mode: mode))
        let template = ReplicaTemplate(
            name: name, size: size, layout: source.layout, features: source.features, dataPool: dataPool, parent: parent,
            isMarked: mode == .snapshot)
        try await ReplicaImage.create(id, template, in: pair.local)
        if mode == .journal { try await JournalBootstrap(pair: pair, globalID: globalID).complete(id, of: source.id) }
        return id
    }
}

extension ImageBootstrapPlan {
    /// The headers to watch while the image is not replayed.
    fileprivate func headers(_ facts: BootstrapFacts) -> HeaderVigil.Headers {
        var headers = HeaderVigil.Headers()
        if let local = facts.local, local.isInDirectory, !local.promotion.isForced { headers.local = local.imageID }
        if case .image(let remote) = facts.remote, !remote.promotion.isForced { headers.remote = remote.imageID }
        if case .image(let remote) = facts.remote, remote.record.mode == .journal { headers.isJournaled = true }
        if facts.local?.record.mode == .journal { headers.isJournaled = true }
        return headers
    }
}

extension ImageHeader {
    /// The newest mirror snapshot that was made of the image as a primary, demoted since or not; 0 without one.
    var newestPrimaryPoint: UInt64 { mirrorSnapshots.last { $0.mirror!.state.isPrimary }?.id ?? 0 }
}

extension PromotionState {
    /// A forced promotion is under way: its orphan is the newest snapshot.
    fileprivate var isForced: Bool { self == .nonPrimary(primaryMirrorUUID: "") }
}
