internal import CephCore
internal import Replication
internal import RBDImage

/// Where replayers show what they are doing: both sites' status records, and the engine's events.
struct StatusBoard: Sendable {
    let local: StatusWriter
    let remote: StatusWriter
    let events: EventHub
    let pool: Pool

    func show(_ globalID: String, name: String, _ status: ReplicationStatus, _ stock: StockStatus) async {
        let isNews = await local.set(globalID, stock)
        await remote.set(globalID, stock)
        guard isNews else { return }
        let subject = ReplicationSubject(container: pool.name, namespace: pool.namespace, name: name, id: globalID)
        events.publish(ReplicationEvent(.statusChanged, subject: subject, status: status, text: stock.description))
    }

    /// Writes what is left; an unreachable site is not waited for.
    func finish() async {
        _ = try? await withDeadline(.seconds(2), for: "writing the last statuses") {
            async let here = local.flush()
            async let there = remote.flush()
            _ = await (here, there)
        }
    }

    func remove(_ globalID: String) async {
        try? await local.remove(globalID)
        try? await remote.remove(globalID)
    }
}
