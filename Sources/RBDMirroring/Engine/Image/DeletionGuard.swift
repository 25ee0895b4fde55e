internal import CephCore
internal import RBDImage
internal import Replication

/// Asked before each deletion whether many would go at once; one for all images of a pool (or namespace).
///
/// Looks at both sides itself, and only when something is to be deleted. What it holds is kept beside the mirror records, where
/// the pool's other daemons and later runs find it.
actor DeletionGuard {
    private let pair: PoolPair
    private var hold: DeletionHold?
    /// The newest look, and the one that has not begun yet.
    private var last: Task<Void, any Error>?
    private var queued: Task<Void, any Error>?

    init(pair: PoolPair) { self.pair = pair }

    /// What speaks against deleting a replica.
    ///
    /// - Parameter isConfirmed: Somebody wants just this replica to be thrown away.
    func objection(to globalID: String, isConfirmed: Bool) async throws -> ImageBootstrapPlan.DeletionDoubt? {
        if isConfirmed {
            try await release([globalID])
            return nil
        }
        if try await loaded().held[globalID] == nil {
            let look = queued ?? enqueue()
            try await yieldingToCancellation { try await look.value }
        }
        return try await loaded().held[globalID].map { .many($0) }
    }

    /// These are mirrored at the source, or somebody has decided about them.
    func release(_ globalIDs: Set<String>) async throws {
        _ = try await loaded()
        try await change { $0.release(globalIDs) }
    }

    /// One look serves all who ask before it begins: what they saw, it sees.
    private func enqueue() -> Task<Void, any Error> {
        let previous = last
        let task = Task {
            _ = await previous?.result
            queued = nil
            try await look()
        }
        queued = task
        last = task
        return task
    }

    private func look() async throws {
        try await load()
        let local = try await pair.localImages.images()
        let lost = Set(local.values).subtracting(try await pair.remoteImages.images().values)
        // Primary images are no replicas, but to know that takes a look at each.
        guard lost.count > DeletionHold.limit(replicas: 0) else { return }
        let replicas = try await replicas(of: local)
        try await change { $0.saw(lost: lost.intersection(replicas), replicas: replicas.count) }
    }

    /// Global ids of the images that a source fills.
    private func replicas(of images: [String: String]) async throws -> Set<String> {
        let throttle = Throttle(limit: 16)
        let pool = pair.local
        return try await withThrowingTaskGroup(of: String?.self) { group in
            for (id, globalID) in images {
                group.addTask {
                    let isReplica = try await throttle.withPermit { () async throws -> Bool in try await pool.isReplica(id) }
                    return isReplica ? globalID : nil
                }
            }
            var found: Set<String> = []
            for try await globalID in group { if let globalID { found.insert(globalID) } }
            return found
        }
    }

    // MARK: What is held

    /// Of keys that stock passes over.
    private static let prefix = "swift_mirror_held_"

    private func loaded() async throws(CephError) -> DeletionHold {
        if let hold { return hold }
        return try await load()
    }

    /// Takes in what is kept, by this daemon or others.
    @discardableResult
    private func load() async throws(CephError) -> DeletionHold {
        var held: [String: Int] = [:]
        for (key, value) in try await pair.local.omap(of: MirrorDirectory.object, prefix: Self.prefix) {
            held[String(key.dropFirst(Self.prefix.count))] = Int(String(decoding: value, as: UTF8.self)) ?? 0
        }
        let all = DeletionHold(held: held.merging(hold?.held ?? [:]) { $1 })
        hold = all
        return all
    }

    /// Changes what is held, here and on the cluster.
    private func change(_ body: (inout DeletionHold) -> Void) async throws(CephError) {
        guard let before = hold?.held else { return }
        body(&hold!)
        let after = hold!.held
        guard before != after else { return }
        var operation = WriteOperation()
        operation.removeOmap(before.keys.filter { after[$0] == nil }.map { Self.prefix + $0 })
        for (globalID, count) in after where before[globalID] != count {
            operation.setOmap([Self.prefix + globalID: Array("\(count)".utf8)])
        }
        try await pair.local.apply(operation, to: MirrorDirectory.object)
    }
}

extension Pool {
    fileprivate func isReplica(_ id: String) async throws(CephError) -> Bool {
        do throws(CephError) {
            guard let record = try await MirrorDirectory(self).image(id),
                case .nonPrimary(let uuid) = try await role(of: id, record.mode, mirrorUUID: "").promotion else { return false }
            return !uuid.isEmpty
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }
}
