internal import CephCore
internal import JournalReplay
internal import RBDImage
internal import Replication

/// The status of an image whose attempt failed.
enum ReplayFailure {
    /// - Parameter pair: Tells the source's cluster from the target's.
    static func status(of error: any Error, in pair: PoolPair) -> ReplicationStatus {
        let (reason, text) = describe(error, pair)
        return ReplicationStatus(role: .replica, state: .error, reason: reason, text: text)
    }

    /// Whether the error says that a cluster did not answer in time.
    static func isUnanswered(_ error: any Error, by pool: Pool) -> Bool {
        guard let error = error as? CephError, error.isTimeout else { return false }
        return error.subject.hasPrefix("\(pool.cluster.name):")
    }

    /// Why the clients of the pool are of no use any more: only fresh ones may go on, with the old ones fenced.
    static func contactLoss(_ error: any Error, in pair: PoolPair) -> ContactLoss? {
        if (error as? CephError)?.isBlocklisted == true { return .blocklisted }
        // What was sent may still be applied.
        return isUnanswered(error, by: pair.local) ? .unansweredChange : nil
    }

    /// The longest pause before the next look. What comes about without a notification is looked for more often.
    static func longestPause(after reason: ReasonCode) -> Duration {
        switch reason {
        case .forcePromoting: .milliseconds(500)
        case .nameClash, .targetFull, .parentMissing: .seconds(5)
        default: .seconds(30)
        }
    }

    private static func describe(_ error: any Error, _ pair: PoolPair) -> (ReasonCode, String) {
        switch error {
        case let owner as ImageLock.Owner:
            (.lockLost, "the image is locked by client.\(owner.client) at \(owner.address)")
        case let loss as ImageLoss: (.lockLost, "\(loss)")
        case let error as CephError: describe(error, pair)
        case let clash as NameClash: (.nameClash, ImageBootstrapPlan.StopReason.nameClash(clash.name).status().text)
        case let error as SyncError: (.failed, error.description)
        case let damage as JournalDamage: (.malformed, "the source's journal is damaged: \(damage)")
        default: (.failed, "\(error)")
        }
    }

    private static func describe(_ error: CephError, _ pair: PoolPair) -> (ReasonCode, String) {
        if error.isBlocklisted { return (.blocklisted, "this daemon's client was fenced: \(error.subject)") }
        if error.isOutOfSpace {
            return (.targetFull, "no space left in pool \(pool(of: error, pair)): add some or raise the pool's quota (\(error.subject))")
        }
        if error.isLostLock { return (.lockLost, "somebody else has taken the image's lock: \(error.subject)") }
        if error.isPermissionDenied { return (.permissionDenied, "permission denied: \(error.operation) on \(error.subject)") }
        if error.isTimeout {
            let reason: ReasonCode = isUnanswered(error, by: pair.remote) ? .sourceUnreachable : .targetUnreachable
            return (reason, "no answer within the deadline: \(error.operation) on \(error.subject)")
        }
        return (.failed, error.description)
    }

    /// The target's pool that an error is about: the image's own or that of its data.
    private static func pool(of error: CephError, _ pair: PoolPair) -> String {
        let place = "\(pair.local.cluster.name):"
        guard error.subject.hasPrefix(place) else { return pair.local.name }
        return String(error.subject.dropFirst(place.count).prefix { $0 != "/" })
    }
}
