internal import CephCore
internal import Replication
internal import RBDImage

/// Keeps the statuses of one pool's images on one cluster: at once when they change, all again every 30 s.
///
/// A status counts as up while the client that wrote it watches the same object, so this pool must belong to
/// the client that does.
actor StatusWriter {
    private let directory: MirrorDirectory
    /// Our own site's mirror uuid when the cluster is the other site's; empty on our own.
    private let mirrorUUID: String
    private var statuses: [String: MirrorSiteStatus] = [:]
    private var dirty: Set<String> = []
    private let wake = WakeSignal()

    /// As many as one operation carries.
    private static let batch = 100
    private static let refresh = Duration.seconds(30)

    init(directory: MirrorDirectory, mirrorUUID: String) {
        self.directory = directory
        self.mirrorUUID = mirrorUUID
    }

    /// Shows a status; returns whether its state is another one than before.
    @discardableResult
    func set(_ globalID: String, _ stock: StockStatus) -> Bool {
        let status = MirrorSiteStatus(mirrorUUID: mirrorUUID, state: stock.state, description: stock.description)
        let previous = statuses[globalID]
        guard previous != status else { return false }
        statuses[globalID] = status
        dirty.insert(globalID)
        wake.signal()
        return previous?.state != status.state
    }

    /// Stops refreshing a status and removes it from the cluster.
    func remove(_ globalID: String) async throws(CephError) {
        statuses[globalID] = nil
        dirty.remove(globalID)
        do throws(CephError) {
            try await directory.pool.change(MirrorDirectory.object, with: MirroringMethod.statusRemove(
                globalID: globalID, mirrorUUID: mirrorUUID.isEmpty ? nil : mirrorUUID))
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    /// Writes until cancelled.
    func run() async {
        var refreshAt = ContinuousClock.now + Self.refresh
        while !Task.isCancelled {
            if ContinuousClock.now >= refreshAt {
                dirty.formUnion(statuses.keys)
                refreshAt = .now + Self.refresh
            }
            let failed = await flush()
            let next = failed ? min(refreshAt, .now + .seconds(2)) : refreshAt
            guard (try? await wake.wait(until: next)) != nil else { return }
        }
    }

    /// Writes what changed; returns whether some of it could not be written.
    @discardableResult
    func flush() async -> Bool {
        while !dirty.isEmpty {
            let some = Array(dirty.prefix(Self.batch))
            dirty.subtract(some)
            do throws(CephError) {
                try await write(some)
            } catch {
                guard error.isNotFound else {
                    dirty.formUnion(some)
                    return true
                }
                // One of them is not registered (any more): it must not keep the others back.
                for globalID in some { try? await write([globalID]) }
            }
        }
        return false
    }

    private func write(_ globalIDs: [String]) async throws(CephError) {
        var operation = WriteOperation()
        for globalID in globalIDs {
            if let status = statuses[globalID] { operation.call(MirroringMethod.statusSet(globalID: globalID, status)) }
        }
        try await directory.pool.apply(operation, to: MirrorDirectory.object)
    }
}
